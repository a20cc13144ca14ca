"""The stand-ins know only what we believe of gcloud; the real one judges every command that they were given.

It judges without running them (`gcloud meta lint-gcloud-commands`, its own parser): on a machine in Google's cloud even a gcloud
where nobody signed in has the machine's rights. Topics and subscriptions it really makes, in the embedded Pub/Sub.
"""

import json
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from place import REPOSITORY

pytestmark = pytest.mark.real_gcloud
MAYFLY = Path(os.environ.get("MAYFLY_BIN", REPOSITORY / "target/debug/mayfly"))
EVERYTHING = {"PROJECT": "shop-project", "DOMAIN": "jobs.shop.test", "NAT": "true", "ON_DEMAND_NODES": "1", "COMPONENTS": "opentelemetry,backlog-scaling"}


@pytest.fixture
def gcloud(tmp_path):
    """Runs the real one, signed in as nobody."""
    program = shutil.which("gcloud")

    def run(*arguments, **environment):
        signed_out = os.environ | {"CLOUDSDK_CONFIG": str(tmp_path / "gcloud"), "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"}
        ran = subprocess.run([program, *arguments], env=signed_out | environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run


def quoted(argument):
    name, equals, value = argument.partition("=")
    return argument if re.fullmatch(r"[\w./:@%+=,-]+", argument) else f"{name}{equals}'{value}'"


def judge(gcloud, folder, commands):
    """Those that it does not accept, with the reason."""
    (folder / "commands.json").write_text(json.dumps([{"command_string": command} for command in commands]))
    answers = json.loads(gcloud("meta", "lint-gcloud-commands", f"--commands-file={folder / 'commands.json'}"))
    assert len(answers) == len(commands)
    return {answer["command_string"]: answer["error_message"] for answer in answers if not answer["success"]}


def said(site):
    """What gcloud was asked to do, each form of it once."""
    commands = {" ".join(["gcloud", *map(quoted, call.argv)]) for call in site.world.calls if call.program == "gcloud" and call.argv[0] not in ("meta", "--version")}
    forms = {}
    for command in sorted(commands):
        words, flags = [word for word in command.split() if "=" not in word], [word.split("=")[0] for word in command.split() if "=" in word]
        forms.setdefault((*words[:4], *sorted(flags)), command)
    return sorted(forms.values())


@pytest.mark.parametrize("overlay", ["gke", "gke-gateway"])
def test_it_understands_every_command_of_every_recipe(rendering_site, gcloud, tmp_path, overlay):
    site = rendering_site
    site.settings(**EVERYTHING, OVERLAY=overlay)
    for recipe in ("deploy", "deploy", "doctor", "status", "drill"):
        site.succeed(recipe)
    site.state["roles"]["mayflyCollector"].append("more")
    site.state["topics"]["mayfly-events"] = "1s"
    site.state["subscriptions"]["mayfly-jobs-echo-worker"][1] = "60"
    site.succeed("pubsub-setup")
    site.state["subscriptions"]["mayfly-jobs-echo-worker"][0] = "_deleted-topic_"
    site.succeed("pubsub-setup")
    site.succeed("destroy", answer="shop-project\n")
    commands = said(site)
    assert len(commands) > 45
    assert judge(gcloud, tmp_path, commands) == {}


def test_its_judgement_finds_mistakes(gcloud, tmp_path):
    wrong = [
        "gcloud container clusters create mayfly --location=us-central1-c --enable-secure-boot",
        "gcloud pubsub topics create mayfly-events --retention=10m",
        "gcloud pubsub subscriptions create mayfly --topic=mayfly --max-delivery-attempts=200 --dead-letter-topic=mayfly",
        "gcloud container clusters create mayfly --location=us-central1-c --release-channel=weekly",
        "gcloud compute adresses list",
    ]
    assert list(judge(gcloud, tmp_path, wrong)) == wrong


@contextmanager
def embedded_pubsub():
    """A Mayfly with its embedded Pub/Sub, which has made what the bus counts on; host and port."""
    environment = os.environ | {"TOPIC_PREFIX": "theirs-", "REDIS_URL": "", "REDIS_HOST": ""}
    process = subprocess.Popen([MAYFLY, "--port", "0", "--pubsub-emulator-listen", "127.0.0.1:0"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield next(match[1] for line in process.stdout if (match := re.search(r"embedded at (\S+), project mayfly-dev", line)))
    finally:
        process.terminate()
        process.wait()


def test_what_it_makes_is_what_the_bus_would_have_made(deployed, first_deployment, gcloud):
    _, first = first_deployment
    made = [call.argv for call in first.world.calls if call.program == "gcloud" and re.match("gcloud pubsub (topics|subscriptions) (create|list)", call.command)]
    with embedded_pubsub() as host:
        there = {"CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{host}/", "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true"}
        for argv in made:
            if "create" in argv:
                gcloud(*(argument.replace("shop-project", "mayfly-dev").replace("mayfly-", "ours-", 1) if "project" not in argument else "--project=mayfly-dev" for argument in argv), **there)
        rows = []
        for argv in made:
            if "list" in argv:
                rows += gcloud(*(argument.replace("shop-project", "mayfly-dev") for argument in argv), **there).splitlines()
    ours, theirs = ({row.replace(prefix, "") for row in rows if row.startswith(prefix)} for prefix in ("ours-", "theirs-"))
    # Beside these, each process has subscriptions of its own, which expire.
    assert ours == {row for row in theirs if not re.match(r"(events|control)-[^,]+,", row)}
    assert len(ours) == 11
