"""Secrets are made once, never replaced, never shown. That no test shows one is looked after by `Site.verify`."""

import base64
import json
import subprocess

MADE = ["redis-password", "redis-url", "session-secret", "webhook-secret"]


def test_they_are_made_once_and_never_replaced(deployed):
    before = deployed.secrets
    assert sorted(before) == MADE
    deployed.succeed("secrets-create")
    assert deployed.secrets == before
    assert deployed.commands(changes=True) == []


def test_each_is_long_random_and_of_its_form(deployed):
    secrets = deployed.secrets
    assert len(base64.b64decode(secrets["session-secret"])) == 32
    assert secrets["webhook-secret"].startswith("whsec_") and len(base64.b64decode(secrets["webhook-secret"][6:])) == 32
    assert len(secrets["redis-password"]) >= 40 and secrets["redis-password"].replace("-", "").replace("_", "").isalnum()
    assert secrets["redis-url"] == f"redis://:{secrets['redis-password']}@valkey:6379"
    assert len(set(secrets.values())) == len(secrets)


def test_two_deployments_have_nothing_in_common(deployed, site):
    site.succeed("deploy")
    assert not set(site.secrets.values()) & set(deployed.secrets.values())


def test_one_that_is_missing_is_added_to_the_others(deployed):
    data = deployed.state["secrets"]["mayfly"]
    del data["webhook-secret"]
    before = dict(data)
    deployed.succeed("secrets-create")
    assert deployed.state["restarts"] == 1, "processes read secrets when they start"
    assert sorted(deployed.secrets) == MADE and before.items() <= deployed.state["secrets"]["mayfly"].items()


def test_those_of_your_own_come_from_files(deployed):
    files = deployed.root.parent
    (files / "key.pem").write_text("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n")
    (files / "token").write_text("a token for services")
    deployed.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", AUTH_JWT_PUBLIC_KEY_FILE=files / "key.pem", SERVICE_TOKEN_FILE=files / "token")
    deployed.succeed("secrets-create")
    assert deployed.secrets["auth-jwt-public-key"].startswith("-----BEGIN PUBLIC KEY-----\nMCow\n")
    assert deployed.secrets["service-token"] == "a token for services"


def test_those_of_your_own_are_replaced_when_their_files_change(deployed):
    token = deployed.root.parent / "token"
    token.write_text("a first token for services\n")
    deployed.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", SERVICE_TOKEN_FILE=token)
    deployed.succeed("secrets-create")
    before = deployed.secrets
    deployed.forget_calls()
    deployed.succeed("secrets-create")
    assert deployed.commands(changes=True) == []
    token.write_text("a second token for services\n")
    deployed.succeed("secrets-create")
    assert deployed.secrets == before | {"service-token": "a second token for services"}
    assert deployed.state["restarts"] == 2, "processes read secrets when they start"


def test_the_cache_may_move_to_memorystore_and_back(deployed):
    settings = {"PROJECT": "shop-project", "DOMAIN": "jobs.shop.test"}
    before = deployed.secrets
    deployed.settings(**settings, COMPONENTS="memorystore", REDIS_ADDRESS="10.0.0.3")
    deployed.succeed("secrets-create")
    assert deployed.secrets == before | {"redis-url": "redis://10.0.0.3:6379"}
    deployed.settings(**settings)
    deployed.succeed("secrets-create")
    assert deployed.secrets == before


def test_the_namespace_is_known_as_one_of_ours_before_anything_runs_there(site):
    """Or another installation's `destroy` would think that it has the cluster for itself."""
    for recipe in ("apis-enable", "cluster-create", "secrets-create"):
        site.succeed(recipe)
    sent = next(call.stdin for call in site.world.calls if call.command == "kubectl apply --filename=-")
    assert json.loads(sent)["metadata"]["labels"]["app.kubernetes.io/part-of"] == "mayfly"


def test_a_failure_shows_none_either(site):
    site.succeed("apis-enable")
    site.succeed("cluster-create")
    site.world.break_matching = "kubectl create"
    result = site.refuse("secrets-create")
    sent = next(call.stdin for call in site.world.calls if call.broken)
    assert '"session-secret":"' in sent
    values = [value for value in sent.split('"') if len(value) > 30]
    assert len(values) >= 4 and not any(value in result.output + result.errors for value in values)
    assert not any(value in call.command + call.environment for call in site.world.calls for value in values)


def test_tracing_the_script_shows_none(site):
    """`bash -x`, as somebody would who looks for a mistake."""
    site.succeed("apis-enable")
    site.succeed("cluster-create")
    ran = subprocess.run(["bash", "-x", "./scripts/cloud/secrets-create"], cwd=site.root, env=site.environment, capture_output=True, text=True, check=True)
    site.spoken.append(ran.stdout + ran.stderr)
    assert "+ " in ran.stderr and sorted(site.secrets) == MADE
