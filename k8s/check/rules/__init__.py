"""Our own policy: what neither a schema nor a general linter knows. Importing this fills `problem.RULES`."""

from problem import RULES

from . import availability, budgets, containers, entrance, exposure, memory, network, placement, references, security, settings

__all__ = ["RULES", "availability", "budgets", "containers", "entrance", "exposure", "judge", "memory", "network", "placement", "references", "security", "settings"]


def judge(manifests, code):
    return [problem for _, rule in RULES for problem in rule(manifests, code)]
