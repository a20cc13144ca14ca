"""Which combinations of overlay and components are rendered."""

import functools
import subprocess
from pathlib import Path

from manifests import Manifests

ROOT = Path(__file__).resolve().parents[2]
COMPONENTS = sorted(path.parent.name for path in (ROOT / "k8s/components").glob("*/kustomization.yaml"))
# Part of the overlays for GKE, and not to be chosen.
OPTIONAL = [name for name in COMPONENTS if name != "managed-prometheus"]
OVERLAYS = ["gke", "gke-gateway", "local"]

# Every overlay by itself, every component on both of Google's, and what somebody may want together.
VARIANTS = {overlay: (overlay, []) for overlay in OVERLAYS}
VARIANTS |= {f"{overlay}+{component}": (overlay, [component]) for overlay in OVERLAYS[:2] for component in OPTIONAL}
VARIANTS |= {
    f"{overlay}+{'+'.join(components)}": (overlay, components)
    for overlay in OVERLAYS[:2]
    for components in (
        ["memorystore", "cloud-armor", "backlog-scaling", "opentelemetry"],
        ["on-demand-cache", "cloud-armor", "backlog-scaling", "opentelemetry"],
        OPTIONAL,
    )
}


def kustomize(directory):
    done = subprocess.run(["kubectl", "kustomize", str(directory)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"kubectl kustomize {directory}:\n{done.stderr[-2000:]}"
    return done.stdout


@functools.cache
def rendered(name):
    """A variant's YAML as text."""
    overlay, components = VARIANTS[name]
    directory = ROOT / "target/check" / name
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        f"resources: [../../../k8s/overlays/{overlay}]\n"
        f"components: [{', '.join(f'../../../k8s/components/{component}' for component in components)}]\n"
    )
    return kustomize(directory)


@functools.cache
def variant(name):
    """A variant's objects; whoever changes them takes a copy."""
    return Manifests.parse(rendered(name), VARIANTS[name][0])
