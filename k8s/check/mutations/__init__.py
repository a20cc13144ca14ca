"""Plausible mistakes, each a small change of rendered manifests that the checks must find."""

from dataclasses import dataclass
from typing import Callable

MUTATIONS = []


@dataclass(frozen=True)
class Mutation:
    name: str
    variant: str
    # The rule that must find it; others may, too.
    rule: str
    change: Callable


def mutation(rule, variant="gke"):
    def collect(function):
        MUTATIONS.append(Mutation(function.__name__, variant, rule, function))
        return function

    return collect
