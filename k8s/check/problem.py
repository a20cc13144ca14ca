"""What a rule finds, and how rules are collected."""

from dataclasses import dataclass

RULES = []


@dataclass(frozen=True)
class Problem:
    rule: str
    where: str
    what: str

    def __str__(self):
        return f"[{self.rule}] {self.where}: {self.what}"


def rule(function):
    """A generator of (where, what) becomes a rule named like it: `host_port` is `host-port`."""
    name = function.__name__.replace("_", "-")

    def judge(manifests, code):
        return [Problem(name, str(where), what) for where, what in function(manifests, code)]

    judge.module = function.__module__
    RULES.append((name, judge))
    return function
