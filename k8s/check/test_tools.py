"""Linters that others wrote, over sources rather than rendered manifests. All come from scripts/requirements.txt."""

import subprocess
import sys
from pathlib import Path

import pytest
from variants import ROOT

TOOLS = Path(sys.executable).parent


def tool(name, *arguments):
    """Runs one of the pinned tools at the root; its complaints are the failure."""
    done = subprocess.run([TOOLS / name, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name}:\n{(done.stdout + done.stderr)[-4000:]}"
    return done.stdout


def tracked(*patterns):
    """Files that are in git, or would be."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [Path(name) for name in names if (ROOT / name).is_file()]


def is_bash(path):
    with (ROOT / path).open("rb") as file:
        return path.suffix in {".sh", ".bash"} or (file.read(2) == b"#!" and b"bash" in file.readline())


SCRIPTS = [path for path in tracked("scripts", "e2e", "k8s", "docker", ".ci") if is_bash(path)]


def test_scripts_are_found():
    assert {"scripts/test", "scripts/cloud/render", "k8s/check/run", "e2e/run"} <= set(map(str, SCRIPTS))


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_shellcheck(path):
    tool("shellcheck", "--external-sources", "--source-path=SCRIPTDIR", path)


def test_yamllint():
    tool("yamllint", "--strict", "--config-file", "k8s/check/yamllint.yaml", *tracked("k8s/**/*.yaml", "k8s/**/*.yml", "docker/**/*.yaml", "docker/**/*.yml"))


def test_the_dockerfile():
    assert (ROOT / "docker/Dockerfile").is_file(), "docker/Dockerfile is missing"
    tool("hadolint", "--failure-threshold", "info", "docker/Dockerfile")


def test_the_justfile_is_in_its_form():
    tool("just", "--fmt", "--check")
