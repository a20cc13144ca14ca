"""What the code says of itself: settings by --help, numbers that are no settings from the sources."""

import functools
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN_DIR = ROOT / os.environ.get("MAYFLY_BIN_DIR", "target/debug")
# What a variable's name ends with when its value is a file's path.
FILE = "_FILE"


def binary(service):
    """The program in a service's image."""
    path = BIN_DIR / (service if service == "mayfly" else f"mayfly-{service}")
    assert path.is_file(), f"{path} is missing: build the workspace first, or say by MAYFLY_BIN_DIR where the binaries are"
    return path


class Code:
    """Asked once, remembered."""

    @functools.cached_property
    def services(self):
        """Crates with a main that run in clusters."""
        crates = {path.parents[1].name for path in (ROOT / "crates").glob("*/src/main.rs")}
        return {name for name in crates if name.startswith("worker-")} | {"gateway", "mayfly", "emulator"}

    @functools.cached_property
    def kinds(self):
        """Kinds of jobs, each with the crate whose binary runs it; asked of who tells it to the recipes."""
        library = ROOT / "scripts/cloud/lib/kinds.sh"
        ask = 'source "$1"; for main in crates/worker-*/src/main.rs; do crate=${main%/src/main.rs}; kinds_of "${crate#*/}" | sed "s|$| ${crate#*/}|"; done'
        done = subprocess.run(["bash", "-euc", ask, "bash", library], cwd=ROOT, capture_output=True, text=True, check=True)
        return dict(line.split() for line in done.stdout.splitlines())

    @functools.cache
    def settings(self, service):
        """Environment variables that a service knows, each with its default (None if it has none)."""
        done = subprocess.run([binary(service), "--help"], capture_output=True, text=True, check=True, env={})
        found, last = {}, None
        for line in done.stdout.splitlines():
            if variable := re.search(r"\[env: ([A-Z0-9_]+)", line):
                last = variable[1]
                found[last] = None
            elif last and (default := re.search(r"\[default: (.*)\]$", line)):
                found[last] = default[1]
        assert found, f"{service} --help names no settings"
        # Subcommands have their own.
        if service == "mayfly":
            found |= {"GC_IDLE_MINUTES": None}
        return found

    def knows(self, service, variable):
        known = self.settings(service)
        return variable in known or (variable.endswith(FILE) and variable.removesuffix(FILE) in known)

    def default(self, service, variable):
        return int(self.settings(service)[variable])

    @staticmethod
    def seconds(path, constant):
        """A `Duration` constant of the sources, in seconds."""
        text = (ROOT / path).read_text()
        found = re.search(rf"const {constant}: Duration = Duration::from_(secs|millis|mins)\(([\d_]+)\);", text)
        assert found, f"{path} has no {constant} any more: say here where it went"
        return int(found[2].replace("_", "")) * {"secs": 1, "millis": 0.001, "mins": 60}[found[1]]

    @functools.cached_property
    def keep_alive_s(self):
        return self.seconds("crates/gateway/src/net/serve.rs", "IDLE_DEADLINE")

    @functools.cached_property
    def goodbye_s(self):
        """Over how long a leaving gateway sends its clients away."""
        return self.seconds("crates/gateway/src/drain/stagger.rs", "WINDOW")

    @functools.cached_property
    def body_s(self):
        """How long an upload may take."""
        return self.seconds("crates/gateway/src/http/jobs.rs", "BODY_DEADLINE")

    @functools.cached_property
    def silence_s(self):
        """The longest that a living websocket is silent."""
        return self.default("gateway", "PING_INTERVAL_S") + self.default("gateway", "PING_TIMEOUT_S")


CODE = Code()
