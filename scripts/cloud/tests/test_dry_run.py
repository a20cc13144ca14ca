"""`DRY_RUN=1`: every command in its order, without an account, a network or a container engine."""

import re

import pytest

RECIPES = ["deploy", "apis-enable", "cluster-create", "ip-create", "pubsub-setup", "secrets-create", "build", "push", "prove", "status", "logs",
           "rollback", "pods-gc", "drill", "cluster-delete", "destroy", "doctor"]  # fmt: skip


def commands(output, mark="+?"):
    return [line[2:].replace("'", "") for line in output.splitlines() if line[:2] in [f"{one} " for one in mark]]


def plain(command):
    """Without what only Google knows, and without the way to the temporary folder."""
    command = re.sub(r"4711|PROJECT_NUMBER", "N", command)
    command = re.sub(r"203\.0\.113\.7|ADDRESS", "IP", command)
    return re.sub(r"@sha256:(?:[0-9a-f]{64}|DIGEST)", "@D", command)


def test_it_shows_what_a_first_deployment_does_in_the_same_order(site):
    shown = commands(site.succeed("just", "deploy", DRY_RUN="1").output, "+")
    assert site.commands() == [], "nobody was asked anything"
    site.succeed("deploy")
    done = [command.replace("'", "") for command in site.commands(changes=True)]
    assert [plain(command) for command in shown if not command.startswith("./scripts")] == [plain(command) for command in done]


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_program_is_called_and_nothing_is_written(site, recipe):
    result = site.succeed(recipe, DRY_RUN="1")
    assert commands(result.output), "it shows something"
    assert site.commands() == []
    assert not (site.root / "target").exists()


@pytest.mark.parametrize("recipe", ["cluster-delete", "destroy"])
def test_it_asks_nothing_of_people_either(site, recipe):
    assert "Type" not in site.succeed(recipe, DRY_RUN="1").output


def test_it_shows_a_gateway_as_well(site):
    output = site.succeed("deploy", DRY_RUN="1", OVERLAY="gke-gateway").output
    assert "+ gcloud certificate-manager maps create mayfly" in output and "backend-services describe gkegw1-BACKEND" in output


def test_lines_can_be_pasted_into_a_shell(site):
    output = site.succeed("deploy", DRY_RUN="1").output
    assert "--format='csv[no-heading](bindings.role,bindings.members)'" in output
    assert str(site.root) not in output


def test_it_says_that_a_changed_tree_would_be_refused_and_goes_on(site):
    (site.root / "new").touch()
    result = site.succeed("deploy", DRY_RUN="1")
    assert "without DRY_RUN this would end here" in result.output and "answers" in result.output


def test_no_program_is_needed_at_all(site):
    """Not even installed: only git, which knows the commit."""
    site.environment["PATH"] = site.environment["PATH"].split(":", 1)[1].replace("/usr/local/bin:", "")
    assert "== https://jobs.shop.test answers" in site.succeed("deploy", DRY_RUN="1").output
