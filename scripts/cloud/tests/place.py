"""A place to deploy from: a copy of what recipes need of this repository, under git, with stand-ins first on the path."""

import base64
import copy
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from standins.dig import dig
from standins.docker import docker
from standins.gcloud import gcloud
from standins.kubectl import kubectl
from standins.world import World

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
PROGRAMS = {"gcloud": gcloud, "kubectl": kubectl, "docker": docker, "dig": dig}
SETTINGS = {"PROJECT": "shop-project", "DOMAIN": "jobs.shop.test"}
RENDER = """#!/usr/bin/env bash
# Stands in for the real one: the same place of the digests, one Deployment for each image. What settings make of the manifests only the real one knows.
set -euo pipefail
: "$PROJECT" "$DOMAIN" "$NAMESPACE"
[[ ${1:-} != --check ]] || exit 0
[[ $OVERLAY == gke && -z $COMPONENTS && $KINDS =~ ^(echo|echo,thumbnail,webhook)$ ]] || { echo "a test of KINDS, COMPONENTS or OVERLAY needs the real render" >&2 && exit 1; }
labels='  labels:\\n    app.kubernetes.io/part-of: mayfly\\n'
printf "apiVersion: v1\\nkind: Namespace\\nmetadata:\\n$labels  name: %s\\n" "$NAMESPACE"
while IFS== read -r name image; do
    [[ $name != mayfly ]] || continue
    printf -- "---\\napiVersion: apps/v1\\nkind: Deployment\\nmetadata:\\n$labels  name: %s\\nimage: %s\\n" "$name" "$image"
done <target/deploy/images.env
"""


@dataclass
class Result:
    code: int
    output: str
    errors: str

    @property
    def last_error(self):
        return self.errors.strip().split("\n")[-1]


def git(root, *arguments):
    """By the same person at the same time, so that the same files are the same commit."""
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in [("NAME", "Test"), ("EMAIL", "test@example.com"), ("DATE", "2026-01-01T00:00:00Z")]}
    subprocess.run(["git", *arguments], cwd=root, env=os.environ | who, check=True, capture_output=True)


def make_template(root, real_render=False, workers=None):
    """What recipes need, committed. The real render takes a second each time, so only those tests use it that are about it."""
    shutil.copytree(REPOSITORY / "scripts/cloud", root / "scripts/cloud", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    for name in ("justfile", "deploy.env.example", ".gitignore"):
        shutil.copy(REPOSITORY / name, root / name)
    for main in REPOSITORY.glob("crates/worker-*/src/main.rs"):
        if workers is None or main.parts[-3] in workers:
            # Sources say which kinds there are.
            shutil.copytree(main.parent, root / main.parent.relative_to(REPOSITORY))
    render = root / "scripts/cloud/render"
    if real_render:
        shutil.copytree(REPOSITORY / "k8s", root / "k8s", ignore=shutil.ignore_patterns("__pycache__"))
    else:
        render.write_text(RENDER)
        render.chmod(0o755)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=All of it")


def make_standins(folder):
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).symlink_to(HERE / "standins/ask")
    write(folder / "sleep", "#!/bin/sh\n")
    write(folder / "gke-gcloud-auth-plugin", "#!/bin/sh\necho 1.0\n")


def write(path, text):
    path.write_text(text)
    path.chmod(0o755)


class Site:
    def __init__(self, folder, template, standins, state=None):
        self.root = folder / "site"
        shutil.copytree(template, self.root, symlinks=True)
        home = folder / "home"
        home.mkdir(exist_ok=True)
        self.world = World(PROGRAMS)
        if state:
            self.world.state = copy.deepcopy(state)
        self.port, self.close = self.world.serve()
        tools = str(Path(sys.executable).parent)
        self.environment = {
            "PATH": os.pathsep.join([str(standins), tools, "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(home), "TMPDIR": str(home), "DOCKER_CONFIG": str(home / "docker"), "WORLD_PORT": str(self.port),
        }  # fmt: skip
        self.spoken = []
        self.settings(**SETTINGS)

    def settings(self, **settings):
        (self.root / "deploy.env").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def run(self, *command, answer="", **environment):
        """A recipe, by its script; `just` first for its way through the justfile."""
        command = list(command) if command[0] == "just" else [f"./scripts/cloud/{command[0]}", *command[1:]]
        ran = subprocess.run(command, cwd=self.root, env=self.environment | environment, input=answer, capture_output=True, text=True, timeout=120)
        self.spoken.append(ran.stdout + ran.stderr)
        return Result(ran.returncode, ran.stdout, ran.stderr)

    def succeed(self, *command, **options):
        result = self.run(*command, **options)
        assert result.code == 0, result.output + result.errors
        return result

    def refuse(self, *command, **options):
        result = self.run(*command, **options)
        assert result.code == 70, f"code {result.code}: {result.output}{result.errors}"
        return result

    @property
    def state(self):
        return self.world.state

    def commands(self, changes=None):
        return [call.command for call in self.world.calls if changes is None or call.changes == changes]

    def forget_calls(self):
        self.verify()
        self.world.calls.clear()

    def mend(self):
        self.world.break_at, self.world.break_matching, self.world.break_after = 0, "", False

    def lasting(self):
        """What exists, without what differs from run to run: of secrets only that they are there."""
        passing = ("certificate_rounds", "crd_rounds", "rollout_rounds", "early_services", "proofs", "pods", "pulled", "built")
        state = copy.deepcopy({key: value for key, value in self.state.items() if key not in passing})
        for cluster in state["clusters"].values():
            cluster.pop("looks", None)
        state["secrets"] = {namespace: sorted(data) for namespace, data in self.state["secrets"].items()}
        state["policies"] = {name: sorted(policy) for name, policy in self.state["policies"].items()}
        return state

    @property
    def secrets(self):
        return {key: base64.b64decode(value).decode() for data in self.state["secrets"].values() for key, value in data.items()}

    def verify(self):
        """What holds in every test: no program was asked for anything strange, and no secret was shown or passed where others see it."""
        strange = [(call.command, call.strange) for call in self.world.calls if call.strange]
        assert not strange, strange
        for data in self.state["secrets"].values():
            for key, encoded in data.items():
                for secret in (encoded, base64.b64decode(encoded).decode()):
                    seen = [call.argv[:3] for call in self.world.calls if secret in call.command or secret in call.environment]
                    assert not seen, f"{key} can be seen in the process list: {seen[0]}"
                    assert not any(secret in text for text in self.spoken), f"{key} was printed"
