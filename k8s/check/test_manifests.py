"""Every variant is what Kubernetes' API server takes, and what our own rules demand."""

import pytest
import rules
import schema
from product import CODE
from variants import VARIANTS, variant


@pytest.mark.parametrize("version", schema.VERSIONS)
@pytest.mark.parametrize("name", VARIANTS)
def test_kubernetes_takes_it(name, version):
    problems = schema.problems(variant(name), [version])
    assert not problems, "\n".join(map(str, problems))


@pytest.mark.parametrize("name", VARIANTS)
def test_it_keeps_every_rule(name):
    problems = rules.judge(variant(name), CODE)
    assert not problems, "\n".join(map(str, problems))


def test_the_local_overlay_needs_nothing_of_googles():
    kinds = {item["apiVersion"] for item in variant("local").objects}
    assert not {version for version in kinds if "gke" in version or "google" in version or version.startswith("gateway.")}
