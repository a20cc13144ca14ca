"""What a Dockerfile says, as far as these tests ask: its arguments and its stages."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Stage:
    base: str
    env: dict = field(default_factory=dict)
    entrypoint: list | None = None


def read(path: Path) -> tuple[dict, dict]:
    """The arguments before the first stage with their defaults, and the stages by name, in their order; the last may have none."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    arguments, stages, stage = {}, {}, None
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        match word:
            case "FROM":
                base, _, name = rest.partition(" AS ")
                stage = stages[name] = Stage(base)
            case "ARG" if stage is None:
                name, _, default = rest.partition("=")
                arguments[name] = default
            case "ENV":
                stage.env |= dict(pair.split("=", 1) for pair in rest.split())
            case "ENTRYPOINT":
                stage.entrypoint = json.loads(rest)
    return arguments, stages


def environment(stages: dict, name: str) -> dict:
    """What is set in a stage and in those that it stands on."""
    return environment(stages, stages[name].base) | stages[name].env if name in stages else {}
