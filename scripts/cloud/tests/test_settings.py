"""One file of settings; the environment wins; whatever is wrong is named, all at once, before anything is done."""

import re

import pytest

from place import REPOSITORY

REQUIRED = {"PROJECT": "shop-project", "DOMAIN": "jobs.shop.test"}
WRONG = {
    "PROJECT": "Shop", "DOMAIN": "https://jobs.shop.test", "REGION": "us", "ZONE": "europe-west1-b", "CLUSTER": "My Cluster", "NAMESPACE": "-x",
    "MACHINE_TYPE": "small", "SPOT": "yes", "NODES_MIN": "0", "NODES_MAX": "many", "ON_DEMAND_NODES": "-1", "DISK_GB": "1", "RELEASE_CHANNEL": "nightly",
    "NETWORK": "a/b", "SUBNETWORK": "A", "NAT": "1", "OVERLAY": "foo", "COMPONENTS": "memorystore,foo", "KINDS": "echo,", "TOPIC_PREFIX": "Mayfly-", "REPOSITORY": "a/b",
    "VALKEY_IMAGE": "valkey:latest", "IP_NAME": "1", "NODE_SERVICE_ACCOUNT": "x", "CERTIFICATE_MAP": "_", "REDIS_ADDRESS": "redis.example.com", "OTEL_COLLECTOR_IMAGE": "otel:1", "SSL_POLICY": "Modern",
    "PROVE_KIND": "sleep", "PROVE_PAYLOAD": "nonsense", "PROVE_TOKEN_FILE": "nowhere",
    "SECURITY_POLICY": "no spaces", "AUTH_JWT_PUBLIC_KEY_FILE": "nowhere.pem", "AUTH_JWT_SECRET_FILE": "nowhere", "SERVICE_TOKEN_FILE": "nowhere",
}  # fmt: skip
EMPTY_IS_FINE = {"PROVE_KIND", "PROVE_PAYLOAD", "PROVE_TOKEN_FILE", "ZONE", "COMPONENTS", "REDIS_ADDRESS", "SECURITY_POLICY", "OTEL_COLLECTOR_IMAGE", "SSL_POLICY", "AUTH_JWT_PUBLIC_KEY_FILE", "AUTH_JWT_SECRET_FILE", "SERVICE_TOKEN_FILE"}


def known():
    return re.findall(r"^([A-Z_]+)=", (REPOSITORY / "deploy.env.example").read_text(), re.MULTILINE)


def test_every_setting_has_a_wrong_value_here():
    assert sorted(WRONG) == sorted(known())


def test_every_setting_is_explained():
    text = (REPOSITORY / "deploy.env.example").read_text()
    for key in known():
        block = text[: text.index(f"\n{key}=")].split("\n\n")[-1]
        assert "#" in block or key in ("CLUSTER", "NAMESPACE"), key


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_value_is_named(site, key):
    site.settings(**REQUIRED | {key: WRONG[key]})
    result = site.refuse("deploy")
    assert re.search(rf"^  {key}={re.escape(WRONG[key])}: ", result.errors, re.MULTILINE), result.errors
    assert "deploy.env" in result.last_error
    assert site.commands() == []


@pytest.mark.parametrize("key", sorted(set(WRONG) - EMPTY_IS_FINE))
def test_what_has_a_default_may_not_be_emptied(site, key):
    site.settings(**REQUIRED | {key: ""})
    assert f"  {key} is not set" in site.refuse("deploy").errors


@pytest.mark.parametrize("recipe", ["deploy", "status", "rollback", "drill", "prove"])
def test_all_that_is_missing_or_wrong_is_named_at_once(site, recipe):
    site.settings(OVERLAY="foo", SPOT="perhaps")
    result = site.refuse(recipe)
    for problem in ("PROJECT is not set", "DOMAIN is not set", "OVERLAY=foo: must be gke or gke-gateway", "SPOT=perhaps: must be true or false"):
        assert f"  {problem}\n" in result.errors
    assert "wrong or missing settings (above): 4" in result.last_error
    assert site.commands() == []


@pytest.mark.parametrize("recipe", ["apis-enable", "cluster-create", "cluster-delete", "ip-create", "pubsub-setup", "secrets-create", "build", "push", "logs", "pods-gc", "destroy", "doctor"])
def test_what_needs_no_domain_asks_for_the_project_only(site, recipe):
    site.settings()
    result = site.refuse(recipe)
    assert "  PROJECT is not set" in result.errors and "DOMAIN" not in result.errors


def test_without_a_file_it_says_what_to_write(site):
    (site.root / "deploy.env").unlink()
    assert "write them into deploy.env" in site.refuse("deploy").last_error


def test_the_environment_wins(site):
    result = site.succeed("ip-create", IP_NAME="other", PROJECT="shop-project", DRY_RUN="1")
    assert "addresses create other" in result.output


def test_another_file_may_be_named(site):
    (site.root / "staging.env").write_text("PROJECT=shop-staging\n")
    assert "--project=shop-staging" in site.succeed("ip-create", DEPLOY_ENV="staging.env", DRY_RUN="1").output
    assert "DEPLOY_ENV names nowhere.env, which does not exist" in site.refuse("ip-create", DEPLOY_ENV="nowhere.env").errors


def test_another_file_deploys_and_keeps_apart_from_the_first(deployed):
    """Its settings are no change of the tree, and the first one still proves itself with its own image and its own cluster."""
    (deployed.root / "staging.env").write_text("PROJECT=shop-project\nDOMAIN=staging.shop.test\nCLUSTER=staging\nNAMESPACE=staging\nIP_NAME=mayfly\nREPOSITORY=staging\n")
    deployed.succeed("just", "deploy", DEPLOY_ENV="staging.env")
    assert "/staging/mayfly@" in deployed.commands()[-3] and deployed.commands()[-3].startswith("docker run")
    deployed.forget_calls()
    deployed.succeed("just", "prove")
    assert "/mayfly/mayfly@" in next(command for command in deployed.commands() if "docker run" in command) and not any("get-credentials" in command for command in deployed.commands())


def test_a_misspelt_setting_is_named_without_its_value(site):
    site.settings(**REQUIRED, SESSION_SECRET="hunter2hunter2")
    result = site.refuse("deploy")
    assert "sets SESSION_SECRET, which is no setting" in result.errors
    assert "hunter2" not in result.errors + result.output


def test_lines_are_not_evaluated(site):
    (site.root / "deploy.env").write_text("PROJECT=shop-project\n# a comment\n\nDOMAIN='jobs.shop.test'\nCLUSTER=$(touch evaluated)\nnonsense\n")
    result = site.refuse("deploy")
    assert "CLUSTER=$(touch evaluated): must be" in result.errors and "line 6 of deploy.env is not KEY=VALUE" in result.errors
    assert not (site.root / "evaluated").exists()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"COMPONENTS": "memorystore"}, "REDIS_ADDRESS is not set, which COMPONENTS=…memorystore needs"),
        ({"COMPONENTS": "opentelemetry,cloud-armor"}, "SECURITY_POLICY is not set, which COMPONENTS=…cloud-armor needs"),
        ({"COMPONENTS": "on-demand-cache"}, "ON_DEMAND_NODES=0: must be at least 1 with COMPONENTS=…on-demand-cache"),
        ({"KINDS": "thumbnail"}, "PROVE_KIND is not set, which KINDS without echo needs: the one that `just prove` may submit"),
        ({"KINDS": "thumbnail,webhook", "PROVE_KIND": "echo"}, "PROVE_KIND=echo: must be one of KINDS, which are thumbnail,webhook"),
        ({"NODES_MIN": "5", "NODES_MAX": "4"}, "NODES_MAX=4: must be at least NODES_MIN, which is 5"),
    ],
)
def test_what_goes_together_or_not_at_all(site, settings, problem):
    site.settings(**REQUIRED | settings)
    assert f"  {problem}\n" in site.refuse("deploy").errors


def test_another_region_brings_a_zone_of_its_own(site):
    assert "--location=europe-west1-c" in site.succeed("cluster-create", REGION="europe-west1", DRY_RUN="1").output


def test_an_empty_zone_is_a_regional_cluster(site):
    output = site.succeed("cluster-create", ZONE="", NODES_MIN="4", DRY_RUN="1").output
    assert "--location=us-central1 " in output
    assert "--num-nodes=2 " in output and "--total-min-nodes=4" in output, "gcloud counts per zone here"
