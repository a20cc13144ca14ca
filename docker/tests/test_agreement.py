"""Dockerfile, compose file and binaries say the same. Takes no engine, but built binaries: in target/debug, or in MAYFLY_BINARIES."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import dockerfile

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ.get("MAYFLY_BINARIES", ROOT / "target" / "debug"))
ARGUMENTS, STAGES = dockerfile.read(ROOT / "docker" / "Dockerfile")
COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
PROGRAMS = {
    program["name"].removeprefix("mayfly-"): program["name"]
    for manifest in (ROOT / "crates").glob("*/Cargo.toml")
    for program in tomllib.loads(manifest.read_text()).get("bin", [])
}
OURS = sorted(PROGRAMS)
PINNED = r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}"


def test_every_binary_is_a_service_and_an_image():
    assert OURS == sorted(name for name, stage in STAGES.items() if stage.entrypoint)
    assert OURS == sorted(name for name, service in SERVICES.items() if "build" in service)


@pytest.mark.parametrize("service", OURS)
def test_a_service_builds_and_starts_its_own_binary(service):
    assert STAGES[service].entrypoint == [f"/usr/local/bin/{PROGRAMS[service]}"]
    assert SERVICES[service]["build"]["args"]["SERVICE"] == service
    assert SERVICES[service]["image"] == f"mayfly/{service}:dev"


@pytest.mark.parametrize("service", OURS)
def test_every_variable_is_a_setting_of_the_binary(service):
    help_text = subprocess.run([BINARIES / PROGRAMS[service], "--help"], check=True, capture_output=True, text=True).stdout
    known = set(re.findall(r"\[env: (\w+)", help_text))
    assert set(SERVICES[service].get("environment", {})) <= known
    # What all images have in common need not concern all of them.
    assert set(STAGES[service].env) <= known
    assert set(STAGES[STAGES[service].base].env) <= known or service == "emulator"


def test_bases_are_pinned_by_digest_and_can_be_replaced_by_those_of_the_environment():
    images = {name: default for name, default in ARGUMENTS.items() if name.endswith("_IMAGE")}
    for name, default in images.items():
        assert re.fullmatch(PINNED, default), name
    assert re.fullmatch(rf"\$\{{VALKEY_IMAGE:-{PINNED}\}}", SERVICES["valkey"]["image"])
    for service in OURS:
        assert images.keys() <= {name for name, value in SERVICES[service]["build"]["args"].items() if value is None}


def test_every_stage_stands_on_an_argument_or_on_another_stage():
    names = set()
    for name, stage in STAGES.items():
        assert stage.base in names or stage.base.strip("${}") in ARGUMENTS, name
        names.add(name)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_without_rights_and_within_limits(service):
    said = SERVICES[service]
    assert int(said["user"].split(":")[0]) > 10_000
    assert said["read_only"] is True
    assert said["cap_drop"] == ["ALL"]
    assert said["security_opt"] == ["no-new-privileges:true"]
    assert said["stop_grace_period"] == "15s"
    assert {"mem_limit", "cpus", "pids_limit"} <= said.keys()


def containers_of_the_cluster():
    """The containers that run in a cluster with the embedded Pub/Sub, by the image that they run."""
    for manifest in [*(ROOT / "k8s" / "base").glob("*.yaml"), ROOT / "k8s" / "overlays" / "local" / "emulator.yaml"]:
        for document in yaml.safe_load_all(manifest.read_text()):
            template = document.get("spec", {}).get("jobTemplate", document).get("spec", {}).get("template", {})
            for container in template.get("spec", {}).get("containers", []):
                yield container["image"], container


def test_limits_are_those_of_the_cluster():
    there = {image: container["resources"]["limits"] for image, container in containers_of_the_cluster()}
    here = {name: {"memory": service["mem_limit"].replace("m", "Mi"), "cpu": f"{service['cpus'] * 1000:.0f}m"} for name, service in SERVICES.items()}
    assert here == {image: {"memory": limits["memory"], "cpu": limits["cpu"]} for image, limits in there.items()}


def test_the_cache_is_started_and_asked_as_in_the_cluster():
    [there] = [container for image, container in containers_of_the_cluster() if image == "valkey"]
    # Compose reads a dollar of its own unless there are two.
    assert [part.replace("$$", "$") for part in SERVICES["valkey"]["entrypoint"]] == there["command"]
    assert SERVICES["valkey"]["healthcheck"]["test"] == ["CMD", *there["livenessProbe"]["exec"]["command"]]


def test_the_cache_and_those_who_use_it_know_the_same_password():
    [mounted] = SERVICES["valkey"]["secrets"]
    assert f"$(cat {mounted['target']})" in SERVICES["valkey"]["entrypoint"][-1]
    password = (ROOT / "docker" / COMPOSE["secrets"][mounted["source"]]["file"]).read_text().strip()
    users = {name: service["environment"]["REDIS_URL"] for name, service in SERVICES.items() if name == "gateway" or name.startswith("worker-")}
    assert set(users.values()) == {f"redis://:{password}@valkey:6379"}


def test_the_gateway_alone_is_reached_from_outside_and_only_by_this_machine():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"gateway": ["127.0.0.1:${PORT:-9000}:9000"]}
