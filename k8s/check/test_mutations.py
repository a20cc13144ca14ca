"""Mistakes that somebody will make are found, each by the rule that is there for it."""

import mutations.entrance  # noqa: F401
import mutations.forms  # noqa: F401
import mutations.network  # noqa: F401
import mutations.pods  # noqa: F401
import mutations.system  # noqa: F401
import pytest
import rules
import schema
from mutations import MUTATIONS
from problem import RULES
from product import CODE
from variants import variant


def judge(manifests):
    """As a developer would meet it: what no schema takes is not looked at any further."""
    return schema.problems(manifests) or rules.judge(manifests, CODE)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_mutation_is_found(mutation):
    before = judge(variant(mutation.variant))
    assert not before, "not clean before the mistake:\n" + "\n".join(map(str, before))

    mutated = variant(mutation.variant).copy()
    mutation.change(mutated)
    assert mutated.objects != variant(mutation.variant).objects, "the mistake changes nothing"
    found = judge(mutated)
    assert mutation.rule in {problem.rule for problem in found}, "found by: " + ("\n".join(map(str, found)) or "nothing")


def test_every_rule_has_a_mistake_that_it_finds():
    idle = {name for name, _ in RULES} - {mutation.rule for mutation in MUTATIONS}
    # The only one whose numbers come from the sources alone: test_drift.py asks it.
    assert idle == {"keep-alive"}, f"rules without a mutation: {sorted(idle)}"
