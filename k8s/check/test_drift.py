"""The manifests say of the programs what the programs do: really started, on loopback, and asked what Kubernetes would ask."""

import re
import subprocess

import pytest
from processes import free_port, get, running
from product import CODE, binary
from rules.budgets import BACKEND_KEEP_ALIVE_S, keep_alive
from rules.exposure import is_public
from variants import variant

# Where the manifests' Secret files would be.
SECRETS = {"SESSION_SECRET": "x" * 32, "WEBHOOK_SECRET": "whsec_" + "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"}


def environment(workload, port):
    """What the `local` overlay tells a workload, but for addresses of the cluster and files of its Secret."""
    told = {key: value for key, value in variant("local").environment(workload).items() if not key.endswith("_FILE")}
    told |= {"BIND": "127.0.0.1", "PORT" if workload.name == "gateway" else "HEALTH_PORT": str(port), "HOSTNAME": f"{workload.name}-0"}
    return told | {name: value for name, value in SECRETS.items() if CODE.knows(workload.service, name)}


@pytest.fixture(scope="module")
def pubsub(tmp_path_factory):
    """The embedded Pub/Sub, told where to listen as its Deployment is."""
    workload, port = variant("local").workload("emulator"), free_port()
    told = variant("local").environment(workload) | {"PUBSUB_EMULATOR_LISTEN": f"127.0.0.1:{port}"}
    with running("emulator", port, tmp_path_factory.mktemp("emulator") / "log", told) as emulator:
        emulator.eventually(workload.container["readinessProbe"]["httpGet"]["path"])
        yield emulator


@pytest.mark.parametrize("name", sorted(CODE.services - {"mayfly", "emulator"}))
def test_probes_are_answered_and_the_drain_keeps_its_budget(name, pubsub, tmp_path):
    workload, port = variant("local").workload(name), free_port()
    told = environment(workload, port) | {"PUBSUB_EMULATOR_HOST": f"127.0.0.1:{pubsub.port}"}
    with running(workload.service, port, tmp_path / "log", told) as process:
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            process.eventually(workload.container[probe]["httpGet"]["path"])
        for endpoint in variant("gke").get("PodMonitoring", "mayfly")["spec"]["endpoints"]:
            assert "mayfly_" in process.eventually(endpoint["path"])
        if name == "gateway":
            look_at_the_gateway(process)
        began = process.begin_leaving()
        if name == "gateway":
            look_at_the_leaving_gateway(process, workload)
        code, seconds = process.left(began)
        assert code == 0
        assert seconds < int(told["DRAIN_BUDGET_MS"]) / 1000 < workload.pod["terminationGracePeriodSeconds"]


def test_garbage_is_collected_as_the_cron_job_does_it(pubsub):
    workload = variant("local").workload("gc")
    told = variant("local").environment(workload) | {"PUBSUB_EMULATOR_HOST": f"127.0.0.1:{pubsub.port}"}
    done = subprocess.run([binary(workload.service), *workload.container["args"]], env=told, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "deleted 0 subscriptions" in done.stdout


def look_at_the_gateway(process):
    """What load balancers, autoscalers and clients of theirs rely on."""
    check = variant("gke").get("BackendConfig", "gateway")["spec"]["healthCheck"]
    process.eventually(check["requestPath"])
    metric = variant("gke+backlog-scaling").get("HorizontalPodAutoscaler", "gateway")["spec"]["metrics"][1]["pods"]["metric"]["name"]
    _, figure, kind = metric.split("|")
    assert f"# TYPE {figure} {kind}" in process.eventually("/metrics"), f"a gateway has no {kind} {figure}"

    page = process.eventually("/")
    own = [link for link in re.findall(r'(?:src|href)="(/[^"]*)"', page)]
    assert own, "the page links to nothing of its own"
    for overlay in ("gke", "gke-gateway"):
        for path in ["/", "/health", "/socket.io/", "/v1/jobs", *own]:
            assert is_public(variant(overlay), path), f"{overlay}: {path} cannot be reached from outside"
    for path in own:
        process.eventually(path)


def look_at_the_leaving_gateway(process, workload):
    """It is not restarted for leaving, gets no new clients, and serves those that come all the same."""
    process.eventually(variant("gke").get("BackendConfig", "gateway")["spec"]["healthCheck"]["requestPath"], 503)
    assert get(process.port, workload.container["readinessProbe"]["httpGet"]["path"])[0] == 503
    assert get(process.port, workload.container["livenessProbe"]["httpGet"]["path"])[0] == 200
    assert get(process.port, "/")[0] == 200


def test_the_gateways_keep_alive_outlasts_the_load_balancers():
    assert not list(keep_alive(None, CODE))
    shorter = type("Shorter", (), {"keep_alive_s": float(BACKEND_KEEP_ALIVE_S)})
    assert list(keep_alive(None, shorter)), "the rule would not notice"


def test_the_manifests_repeat_the_codes_own_drain_budget():
    """It stands there to be read beside the grace period; it must not be another number."""
    told = variant("gke").get("ConfigMap", "mayfly")["data"]["DRAIN_BUDGET_MS"]
    for service in CODE.services:
        assert CODE.default(service, "DRAIN_BUDGET_MS") == int(told), service


def test_every_service_is_deployed():
    """A new worker crate has a Deployment, or its jobs wait for ever."""
    deployed = {workload.service for workload in variant("gke").workloads()} | {workload.service for workload in variant("local").workloads()}
    assert CODE.services <= deployed, f"not deployed: {CODE.services - deployed}"


def test_the_emulator_is_told_nothing_that_it_does_not_know():
    workload = variant("local").workload("emulator")
    assert set(variant("local").environment(workload)) <= set(CODE.settings("emulator"))
