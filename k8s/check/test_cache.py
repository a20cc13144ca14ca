"""The cache's command line, run as it stands, with Redis in the place of its sibling Valkey."""

import shutil
import subprocess
import time

import pytest
from processes import free_port
from variants import variant


@pytest.fixture
def cache(tmp_path):
    """(port, what runs a program of it as a probe would, process)."""
    for program in ("server", "cli"):
        found = shutil.which(f"redis-{program}")
        assert found, f"redis-{program} is missing: run ./scripts/install-test-tools"
        (tmp_path / f"valkey-{program}").symlink_to(found)
    (tmp_path / "redis-password").write_text("not a #secret")
    port = free_port()
    command = [
        part.replace("6379", str(port)).replace("/run/secrets/mayfly", str(tmp_path)).replace("/data", str(tmp_path))
        for part in variant("gke").workload("valkey").container["command"]
    ]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    process = subprocess.Popen([*command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)

    def run(*arguments, **variables):
        return subprocess.run(arguments, env=environment | variables, capture_output=True, text=True, check=False)

    try:
        yield port, run, process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def eventually(check):
    deadline = time.monotonic() + 10
    while not check():
        assert time.monotonic() < deadline, "the cache does not answer"
        time.sleep(0.05)


def test_it_wants_a_password_and_keeps_nothing(cache):
    port, run, process = cache
    probe = [part.replace("valkey-cli ", f"valkey-cli -p {port} ") for part in variant("gke").workload("valkey").container["livenessProbe"]["exec"]["command"]]
    eventually(lambda: run(*probe).returncode == 0)

    def ask(*words, **variables):
        return run("valkey-cli", "-p", str(port), *words, **variables).stdout

    assert "NOAUTH" in ask("get", "anything")
    key = {"REDISCLI_AUTH": "not a #secret"}
    assert ask("set", "a", "b", **key) == "OK\n"
    assert ask("config", "get", "save", **key).split("\n")[1] == ""
    assert "no" in ask("config", "get", "appendonly", **key).split()
    assert str(96 * 2**20) in ask("config", "get", "maxmemory", **key).split()
    assert "allkeys-lru" in ask("config", "get", "maxmemory-policy", **key).split()
    # By SIGTERM to the first process, as a kubelet does it.
    process.terminate()
    assert process.wait(5) == 0
    assert run(*probe).returncode != 0
