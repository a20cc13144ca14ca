"""What a worker needs beside its crate: an image, a place in compose.yaml, and its part of the manifests."""

from pathlib import Path

from .edits import add_to_list, append, fill, insert_before

BASE = Path("k8s/base")
BACKLOG = Path("k8s/components/backlog-scaling")
LOCAL = Path("k8s/overlays/local/kustomization.yaml")
# What comes after every other worker.
LAST = "worker-dead-letter"


def deploy_crate(files, name):
    """A service for the worker of a new crate. Policies for workers go by a label that its pods have, too."""
    insert_before(files, Path("docker/Dockerfile"), template("Dockerfile", name), f"FROM worker AS {LAST}")
    insert_before(files, Path("docker/compose.yaml"), template("compose.yaml", name), f"  {LAST}:")

    files[BASE / f"worker-{name}.yaml"] = template("worker.yaml", name)
    kustomization = BASE / "kustomization.yaml"
    insert_before(files, kustomization, f"  - worker-{name}.yaml\n", f"  - {LAST}.yaml")
    insert_before(files, kustomization, template("image.yaml", name), f"  - name: {LAST}")
    for part in ("disruption", "scaling", "service-accounts"):
        append(files, BASE / f"{part}.yaml", template(f"{part}.yaml", name))

    insert_before(files, LOCAL, f"  - {{ name: worker-{name}, count: 1 }}\n", f"  - {{ name: {LAST}, count")
    insert_before(files, LOCAL, template("local-image.yaml", name), f"  - {{ name: us-central1-docker.pkg.dev/example-project/mayfly/{LAST},")

    files[BACKLOG / f"worker-{name}.yaml"] = template("backlog-of-a-crate.yaml", name) + template("backlog.yaml", name)
    append(files, BACKLOG / "kustomization.yaml", template("backlog-patch.yaml", name))
    offer(files, name)


def deploy_kind(files, name, crate):
    """A further kind of a worker that is deployed already: its backlog counts, too."""
    append(files, BACKLOG / f"{crate}.yaml", template("backlog.yaml", name))
    offer(files, name)


def offer(files, name):
    for path in (BASE / "config/gateway.env", Path("deploy.env.example")):
        add_to_list(files, path, "KINDS", name)


def template(part, name):
    return fill(f"deployment/{part}", name)
