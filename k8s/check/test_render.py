"""scripts/cloud/render: one deployment's settings on top of the manifests, in a copy of the tree."""

import hashlib
import os
import re
import shutil
import subprocess

import pytest
import rules
import schema
from manifests import Manifests
from product import CODE
from variants import ROOT, VARIANTS

SERVICES = sorted(CODE.services - {"emulator"} | {"valkey"})
SETTINGS = {"PROJECT": "shop-1", "DOMAIN": "jobs.shop.test"}
REPOSITORY = "europe-north2-docker.pkg.dev/shop-1/jobs"
EVERYTHING = {"REDIS_ADDRESS": "10.1.2.3:6380", "SECURITY_POLICY": "walls"}


def digest(name):
    return f"{REPOSITORY}/{name}@sha256:{hashlib.sha256(name.encode()).hexdigest()}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "k8s", tree / "k8s", ignore=shutil.ignore_patterns("check"))
    (tree / "scripts/cloud").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/cloud/render", tree / "scripts/cloud")
    shutil.copytree(ROOT / "scripts/cloud/lib", tree / "scripts/cloud/lib")
    for sources in ROOT.glob("crates/worker-*/src"):
        shutil.copytree(sources, tree / sources.relative_to(ROOT))
    (tree / "target/deploy").mkdir(parents=True)
    return tree


@pytest.fixture
def render(tree):
    """Runs it with these settings; gives back what subprocess says."""
    (tree / "target/deploy/images.env").write_text("".join(f"{name}={digest(name)}\n" for name in SERVICES))

    def run(*arguments, **settings):
        # From another folder: it must find its own way.
        return subprocess.run(
            [tree / "scripts/cloud/render", *arguments], cwd="/", env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | SETTINGS | settings,
            capture_output=True, text=True, check=False,
        )

    return run


def manifests(done, overlay="gke"):
    assert done.returncode == 0, done.stderr
    return Manifests.parse(done.stdout, overlay)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "local"])
def test_every_variant_keeps_the_rules_with_real_settings(name, render):
    overlay, components = VARIANTS[name]
    rendered = manifests(
        render(OVERLAY=overlay, COMPONENTS=",".join(components), NAMESPACE="jobs", TOPIC_PREFIX="shop-", SSL_POLICY="modern", **EVERYTHING), overlay
    )
    problems = schema.problems(rendered) or rules.judge(rendered, CODE)
    assert not problems, "\n".join(map(str, problems))


def test_settings_find_their_places(render):
    ingress = manifests(render(NAMESPACE="jobs", IP_NAME="door", TOPIC_PREFIX="shop-", SSL_POLICY="modern"))
    assert {item["metadata"].get("namespace", item["metadata"]["name"]) for item in ingress.objects} == {"jobs"}
    assert ingress.get("Ingress", "mayfly")["metadata"]["annotations"]["kubernetes.io/ingress.global-static-ip-name"] == "door"
    assert ingress.get("Ingress", "mayfly")["spec"]["rules"][0]["host"] == "jobs.shop.test"
    assert ingress.get("ManagedCertificate", "mayfly")["spec"]["domains"] == ["jobs.shop.test"]
    assert ingress.get("FrontendConfig", "mayfly")["spec"]["sslPolicy"] == "modern"
    for workload in ingress.workloads():
        assert workload.image == digest(workload.service)
        if workload.name != "valkey":
            told = ingress.environment(workload)
            assert (told["GOOGLE_CLOUD_PROJECT"], told["TOPIC_PREFIX"]) == ("shop-1", "shop-")


def test_settings_find_their_places_behind_a_gateway(render):
    gateway = manifests(render(OVERLAY="gke-gateway", IP_NAME="door", CERTIFICATE_MAP="keys", SSL_POLICY="modern"), "gke-gateway")
    assert gateway.get("Gateway", "mayfly")["spec"]["addresses"] == [{"type": "NamedAddress", "value": "door"}]
    assert gateway.get("Gateway", "mayfly")["metadata"]["annotations"] == {"networking.gke.io/certmap": "keys"}
    assert {tuple(route["spec"]["hostnames"]) for route in gateway.of("HTTPRoute")} == {("jobs.shop.test",)}
    assert gateway.get("GCPGatewayPolicy", "mayfly")["spec"]["default"] == {"sslPolicy": "modern"}


@pytest.mark.parametrize("overlay", ["gke", "gke-gateway"])
def test_components_get_their_settings(overlay, render):
    rendered = manifests(render(OVERLAY=overlay, COMPONENTS="memorystore,cloud-armor,backlog-scaling", TOPIC_PREFIX="shop-", **EVERYTHING), overlay)
    allowed = rendered.get("NetworkPolicy", "to-memorystore")["spec"]["egress"][0]
    assert (allowed["to"][0]["ipBlock"]["cidr"], allowed["ports"][0]["port"]) == ("10.1.2.3/32", 6380)
    assert rendered.find("Deployment", "valkey") is None
    if overlay == "gke":
        assert rendered.get("BackendConfig", "gateway")["spec"]["securityPolicy"] == {"name": "walls"}
    else:
        assert rendered.get("GCPBackendPolicy", "gateway")["spec"]["default"]["securityPolicy"] == "walls"
    for metric in rendered.get("HorizontalPodAutoscaler", "worker-echo")["spec"]["metrics"][1:]:
        assert metric["external"]["metric"]["selector"]["matchLabels"] == {"resource.labels.subscription_id": "shop-jobs-echo-worker"}


def test_only_workers_of_kinds_that_are_wanted(render):
    rendered = manifests(render(KINDS="echo", COMPONENTS="backlog-scaling"))
    for kind in ("Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "ServiceAccount"):
        names = {item["metadata"]["name"] for item in rendered.of(kind)}
        assert not names & {"worker-thumbnail", "worker-webhook"} and "worker-echo" in names
    assert rendered.get("ConfigMap", "gateway")["data"]["KINDS"] == "echo"
    assert not rules.judge(rendered, CODE)


def test_optional_secrets_are_mounted_if_there_are_any(render):
    gateway = manifests(render()).workload("gateway")
    assert "auth-jwt-secret" not in str(gateway.object)
    rendered = manifests(render(AUTH_JWT_SECRET_FILE="/home/me/jwt", AUTH_JWT_PUBLIC_KEY_FILE="key.pem", SERVICE_TOKEN_FILE="token"))
    assert not rules.judge(rendered, CODE)
    told = rendered.environment(rendered.workload("gateway"))
    assert told["AUTH_JWT_SECRET_FILE"] == "/run/secrets/mayfly/auth-jwt-secret"
    assert told["AUTH_JWT_PUBLIC_KEY_FILE"] == "/run/secrets/mayfly/auth-jwt-public-key"
    assert told["SERVICE_TOKEN_FILE"] == "/run/secrets/mayfly/service-token"


def test_the_collectors_image_can_be_pinned(render):
    done = render(COMPONENTS="opentelemetry", OTEL_COLLECTOR_IMAGE=digest("collector"))
    assert manifests(done).workload("otel-collector").image == digest("collector")


def test_a_changed_setting_rolls_who_reads_it_and_nobody_else(render):
    before, after = manifests(render(KINDS="echo")), manifests(render(KINDS="echo,webhook"))
    changed = {workload.name for workload in after.workloads() if (old := before.find(workload.kind, workload.name)) and old["spec"] != workload.spec}
    assert changed == {"gateway"}


def test_the_same_settings_give_the_same_manifests(render):
    assert render(COMPONENTS="opentelemetry").stdout == render(COMPONENTS="opentelemetry").stdout


@pytest.fixture
def crate_of_two(tree):
    """Another kind, `mail`, in the crate of `echo`; its binary runs it once this is called."""
    source, main = tree / "crates/worker-echo/src/mail.rs", tree / "crates/worker-echo/src/main.rs"
    backlog = tree / "k8s/components/backlog-scaling/worker-echo.yaml"
    before, watched = main.read_text(), backlog.read_text()
    source.write_text("impl Job for Mail {\n    const KIND: &'static str = \"mail\";\n}\n")
    backlog.write_text(watched + watched.replace("jobs-echo", "jobs-mail"))
    yield lambda: main.write_text("worker.register::<Echo>(()).register::<worker_echo::Mail>(())\n")
    source.unlink()
    main.write_text(before)
    backlog.write_text(watched)


def test_kinds_may_share_a_crate(render, crate_of_two):
    crate_of_two()
    rendered = manifests(render(KINDS="echo,mail", COMPONENTS="backlog-scaling", TOPIC_PREFIX="shop-"))
    assert {workload.name for workload in rendered.component("worker")} == {"worker-echo", "worker-dead-letter"}
    watched = [metric["external"]["metric"] for metric in rendered.get("HorizontalPodAutoscaler", "worker-echo")["spec"]["metrics"][1:]]
    figures = ["num_undelivered_messages", "oldest_unacked_message_age"] * 2
    assert [metric["name"].split("|")[-1] for metric in watched] == figures
    assert [metric["selector"]["matchLabels"]["resource.labels.subscription_id"] for metric in watched] == ["shop-jobs-echo-worker"] * 2 + ["shop-jobs-mail-worker"] * 2


def test_a_kind_that_no_binary_runs_is_refused(render, crate_of_two):
    done = render("--check", KINDS="echo,mail")
    assert done.returncode != 0 and "register Mail in crates/worker-echo/src/main.rs" in done.stderr


def test_a_crate_runs_all_of_its_kinds_or_none(render, crate_of_two):
    crate_of_two()
    done = render("--check", KINDS="echo")
    assert done.returncode != 0 and "KINDS lacks mail, which worker-echo runs beside echo" in done.stderr
    assert render("--check", KINDS="webhook").returncode == 0


def test_a_kind_whose_crate_is_not_deployed_is_refused(tree, render):
    (tree / "k8s/base/worker-echo.yaml").rename(tree / "away.yaml")
    done = render("--check", KINDS="echo")
    (tree / "away.yaml").rename(tree / "k8s/base/worker-echo.yaml")
    assert done.returncode != 0 and "k8s/base/worker-echo.yaml" in done.stderr


def test_settings_are_checked_before_there_is_anything(tree, render):
    (tree / "target/deploy/images.env").unlink()
    (tree / "target/deploy").rename(tree / "target/away")
    # Nothing but what every machine has: it needs neither kubectl nor a cluster.
    done = render("--check", PATH="/usr/bin:/bin")
    refused = render("--check", KINDS="mail", PATH="/usr/bin:/bin")
    made = (tree / "target/deploy").exists()
    (tree / "target/away").rename(tree / "target/deploy")
    assert (done.returncode, done.stdout, done.stderr, made) == (0, "", "", False)
    assert refused.returncode != 0 and refused.stderr.startswith("render: KINDS names mail")


def test_kinds_are_by_default_those_that_the_manifests_and_the_example_of_settings_name():
    named = [re.search(r"^KINDS=(.*)$", (ROOT / path).read_text(), re.MULTILINE)[1] for path in ("k8s/base/config/gateway.env", "deploy.env.example")]
    assert set(named[0].split(",")) == set(named[1].split(",")) == set(CODE.kinds)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"PROJECT": ""}, "PROJECT"),
        ({"DOMAIN": ""}, "DOMAIN"),
        ({"DOMAIN": "jobs.shop.test]\ninject: [x"}, "DOMAIN"),
        ({"OVERLAY": "aws"}, "OVERLAY"),
        ({"COMPONENTS": "redis"}, "COMPONENTS"),
        ({"KINDS": "echo,mail"}, "KINDS names mail, and no worker crate has such a job; there are echo, thumbnail, webhook"),
        ({"COMPONENTS": "memorystore"}, "REDIS_ADDRESS"),
        ({"COMPONENTS": "memorystore", "REDIS_ADDRESS": "redis.shop.test:6379"}, "REDIS_ADDRESS"),
        ({"COMPONENTS": "cloud-armor"}, "SECURITY_POLICY"),
        ({"TOPIC_PREFIX": "shop'"}, "TOPIC_PREFIX"),
    ],
)
def test_it_refuses_what_would_go_wrong_later(settings, named, render):
    done = render(**settings)
    assert done.returncode != 0 and not done.stdout
    assert named in done.stderr


def test_it_refuses_without_images(tree, render):
    (tree / "target/deploy/images.env").unlink()
    done = render()
    assert done.returncode != 0 and "images.env" in done.stderr and not done.stdout


@pytest.mark.parametrize("line", ["gateway=docker.io/library/gateway:latest", "gateway=", "nonsense"])
def test_it_refuses_images_by_tag(line, tree, render):
    with (tree / "target/deploy/images.env").open("a") as images:
        images.write(line + "\n")
    done = render()
    assert done.returncode != 0 and "digest" in done.stderr and not done.stdout


def test_it_leaves_no_example_behind(tree, render):
    (tree / "target/deploy/images.env").write_text("".join(f"{name}={digest(name)}\n" for name in SERVICES if name != "worker-echo"))
    done = render()
    assert done.returncode != 0 and "worker-echo" in done.stderr and not done.stdout
