"""Our own policy: what neither a schema nor a general linter knows. Importing this fills `problem.RULES`."""

from problem import RULES

from . import api_server, availability, budgets, containers, entrance, exposure, memory, network, placement, references, security, settings, words

__all__ = ["RULES", "api_server", "availability", "budgets", "containers", "entrance", "exposure", "judge", "memory", "network", "placement", "references", "security", "settings", "words"]


# Whether manifests are well-formed is judged before what they say.
FORM = {name for name, judge_rule in RULES if judge_rule.module in (api_server.__name__, words.__name__)}


def judge(manifests, code):
    """What an API server refuses comes first: the other rules take manifests for well-formed."""
    form = [problem for name, rule in RULES if name in FORM for problem in rule(manifests, code)]
    return form or [problem for name, rule in RULES if name not in FORM for problem in rule(manifests, code)]
