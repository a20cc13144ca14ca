"""A small world that remembers what exists, writes down every call, and fails where a test says so. Stand-in programs ask it over a socket."""

import copy
import re
import socketserver
import threading
from dataclasses import dataclass, field

EMPTY = {
    "services": ["serviceusage.googleapis.com"], "accounts": [], "policies": {}, "roles": {}, "clusters": {}, "pools": {},
    "routers": {}, "addresses": {}, "topics": {}, "subscriptions": {}, "repositories": {}, "cleanup": {}, "certificates": {}, "maps": {},
    "identities": [], "namespaces": {}, "secrets": {}, "objects": {}, "pods": {}, "cordoned": [], "config_maps_read": [], "built": [], "pulled": [],
    # What Google will answer: looks until there is a certificate, a load balancer's timeout, proofs that fail, grants that come too early.
    "certificate_rounds": 2, "backend_timeout": 86400, "crd_rounds": 0, "rollout_rounds": 2, "proofs": [], "early_grants": 0, "private_access": {}, "external_metrics": "True", "cluster_status": "", "pool_status": {}, "early_services": {}, "early_answers": 1, "gcloud_without_spot": False, "gcloud_without_beta": False, "dns": {"A": "203.0.113.7"}, "quotas": {"CPUS_ALL_REGIONS": "32.0,0.0"},
}  # fmt: skip


class Refused(Exception):
    """As the real program would refuse: a message for stderr, and exit code 1."""


class Strange(Exception):
    """Nothing that this program knows: a mistake in a recipe."""


@dataclass
class Call:
    program: str
    argv: list
    kubeconfig: str
    docker_config: str
    environment: str
    stdin: str
    folder: str = ""
    changes: bool = False
    broken: bool = False
    strange: str = ""

    @property
    def command(self):
        return " ".join([self.program, *self.argv])


def split(argv):
    """Words and options; an option without `=` is `True`."""
    words, options = [], {}
    for argument in argv:
        if argument.startswith("--"):
            name, equals, value = argument.removeprefix("--").partition("=")
            # One that is repeated counts with all its values.
            options[name] = f"{options[name]} {value}" if name in options else value if equals else True
        elif argument.startswith("-"):
            raise Strange(f"short option {argument}")
        else:
            words.append(argument)
    return words, options


class Program:
    """A program's commands: their words, which options they may have, whether they change anything, and what they do."""

    def __init__(self):
        self.commands = {}

    def command(self, words, options="", changes=False):
        def register(function):
            self.commands[tuple(words.split())] = (set(options.split()), changes, function)
            return function

        return register

    def reads(self, words, options=""):
        return self.command(words, options)

    def changes(self, words, options=""):
        return self.command(words, options, changes=True)

    def find(self, call):
        words, flags = split(call.argv)
        for length in range(len(words), -1, -1):
            if tuple(words[:length]) in self.commands:
                allowed, changes, function = self.commands[tuple(words[:length])]
                if unknown := set(flags) - allowed:
                    raise Strange(f"options {sorted(unknown)}")
                return changes, function, words[length:], flags
        raise Strange(f"no command {' '.join(words)}")


@dataclass
class World:
    programs: dict
    state: dict = field(default_factory=lambda: copy.deepcopy(EMPTY))
    calls: list = field(default_factory=list)
    # The change of this number fails, or every command that matches; before or after it took effect.
    break_at: int = 0
    break_matching: str = ""
    break_after: bool = False

    def answer(self, call):
        """Exit code, output, errors."""
        self.calls.append(call)
        try:
            call.changes, function, words, flags = self.programs[call.program].find(call)
            number = sum(call.changes for call in self.calls)
            call.broken = call.changes and number == self.break_at or bool(self.break_matching and re.search(self.break_matching, call.command))
            if call.broken and not self.break_after:
                raise Refused("the network is unreachable")
            output = function(self.state, words, flags | {"call": call})
            if call.broken:
                raise Refused("the answer was lost")
            return 0, f"{output}\n" if output else "", ""
        except Refused as refusal:
            return 1, "", f"ERROR: {refusal}\n"
        except Strange as strange:
            call.strange = str(strange)
            return 2, "", f"STRANGE: {call.command}: {strange}\n"
        except Exception as error:  # a mistake of this world: the test must hear of it
            call.strange = repr(error)
            return 2, "", f"STRANGE: {call.command}: {error!r}\n"

    def serve(self):
        """Starts answering; the port, and how to stop."""
        world = self

        class Handler(socketserver.StreamRequestHandler):
            def word(self):
                letters = bytearray()
                while (letter := self.rfile.read(1)) not in (b"\0", b""):
                    letters += letter
                return letters.decode()

            def handle(self):
                program = self.word()
                argv = [self.word() for _ in range(int(self.word()))]
                folder, kubeconfig, docker_config, environment, stdin = [self.word() for _ in range(5)]
                call = Call(program, argv, kubeconfig, docker_config, environment, stdin, folder)
                self.wfile.write("".join(f"{part}\0" for part in world.answer(call)).encode())

        server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

        def stop():
            server.shutdown()
            server.server_close()

        return server.server_address[1], stop


def expect(value, *allowed):
    """An option whose value a recipe spells out, such as a format: what it is not known to be is a typo."""
    if value not in allowed:
        raise Strange(f"`{value}` is none of {allowed}")


def must(condition, message):
    if not condition:
        raise Refused(message)
