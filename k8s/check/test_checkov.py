"""What a linter that knows nothing of us finds in the rendered manifests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from variants import ROOT, VARIANTS, rendered

# What it would have otherwise, and why it is as it is. Beside these only the collector's image, excused in its own manifest.
EXCUSED = {
    ("local", "CKV_K8S_15"): "images come from the machine itself: there is no registry that one could always ask",
    ("local", "CKV_K8S_43"): "an image that was built a minute ago has no digest that anybody could have written down",
}
# By themselves, and with all that can be chosen; between them every object is there.
CHOSEN = ["gke", "gke-gateway", "local", "gke+memorystore", *[name for name, (_, components) in VARIANTS.items() if "on-demand-cache" in components and len(components) == 4]]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkov")
    for name in CHOSEN:
        (folder / f"{name}.yaml").write_text(rendered(name))
    done = subprocess.run(
        [Path(sys.executable).parent / "checkov", "--skip-download", "--framework", "kubernetes", "--output", "json", "--directory", folder],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )
    assert done.stdout.strip(), done.stderr[-2000:]
    return json.loads(done.stdout)


def test_it_looked_at_everything(report):
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 500 * len(CHOSEN)


def test_it_finds_nothing_that_is_not_excused(report):
    failed = report["results"]["failed_checks"]
    found = {(Path(check["file_path"]).stem, check["check_id"]) for check in failed}
    unexcused = [f"{check['check_id']} {check['check_name']}: {check['resource']} in {check['file_path']}" for check in failed if (Path(check["file_path"]).stem, check["check_id"]) not in EXCUSED]
    assert not unexcused, "\n".join(unexcused)
    assert found == set(EXCUSED), f"excused without need: {set(EXCUSED) - found}"


def test_only_the_collectors_image_excuses_itself(report):
    skipped = {(check["check_id"], check["resource"]) for check in report["results"]["skipped_checks"]}
    assert skipped == {("CKV_K8S_43", "Deployment.mayfly.otel-collector")}
