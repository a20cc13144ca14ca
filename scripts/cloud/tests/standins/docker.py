"""A docker that knows the commands of the recipes, and nothing else."""

import hashlib
import re
from pathlib import Path

from .world import Program, Refused, expect, must

docker = Program()


@docker.reads("version", "format")
def version(state, words, flags):
    return "client 29.0.0, server 29.0.0"


@docker.reads("info")
def info(state, words, flags):
    return "fine"


@docker.changes("build", "file platform build-arg tag")
def build(state, words, flags):
    expect(words, ["."])
    expect(flags["file"], "docker/Dockerfile")
    arguments = dict(argument.split("=") for argument in flags["build-arg"].split())
    service = arguments.pop("SERVICE")
    expect(sorted(arguments), ["REVISION", "VERSION"])
    must(f"/{service}:" in flags["tag"], "the tag is not that of the service")
    state["built"] = sorted({*state["built"], flags["tag"]})


@docker.changes("pull", "platform")
def pull(state, words, flags):
    state["pulled"] = words


@docker.changes("tag")
def tag(state, words, flags):
    must(words[0] in state["pulled"], "No such image")
    state["built"] = sorted({*state["built"], words[1]})


@docker.changes("push")
def push(state, words, flags):
    host, project, repository, image = words[0].split("/")
    config = Path(flags["call"].docker_config) / "config.json"
    must(config.exists() and host in config.read_text(), "denied: Unauthenticated request")
    must(repository in state["repositories"], "name unknown: Repository not found")
    must(words[0] in state["built"], "An image does not exist locally")
    state["repositories"][repository][image] = hashlib.sha256(image.encode()).hexdigest()


@docker.reads("run", "rm env address hold-s drill")
def run(state, words, flags):
    image, command, url, *rest = words
    expect(command, "prove")
    must("@sha256:" in image and rest[:1] == ["203.0.113.7"], f"nothing answers: {words}")
    kind = re.search(r"PROVE_KIND=([a-z-]+)", flags["env"])[1]
    must(f"Deployment/worker-{kind}" in state["objects"], f"job: no worker takes {kind}")
    # What the next proofs come to, as a test arranged it.
    if state["proofs"] and not state["proofs"].pop(0):
        raise Refused("page: connection refused")
    drill = "ok      drill: 90 jobs: 90 accepted, 0 refused, 0 unanswered, 0 lost, 0 ended twice; 1 reconnects, at most 1.4 s away"
    return "\n".join(["ok      page: 5000 bytes", "ok      client: socket.io.js has 9 bytes", drill if "drill" in flags else "ok      held: 40 s"])
