"""The real binaries on loopback, as the manifests would start them."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from product import binary

PATIENCE_S = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path):
    """(status, text) of a GET; (None, reason) while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError as error:
        return None, str(error)


class Running:
    """A process and the port that it answers on."""

    def __init__(self, process, port, log):
        self.process, self.port, self.log = process, port, log

    def eventually(self, path, status=200):
        """The text at `path` once it has that status."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = get(self.port, path)
            if answer[0] == status:
                return answer[1]
            assert self.process.poll() is None, f"it left with {self.process.returncode}:\n{self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"{path} is {answer} after {PATIENCE_S} s, not {status}:\n{self.log.read_text()[-2000:]}"
            time.sleep(0.05)

    def begin_leaving(self):
        """SIGTERM, as a kubelet sends it; gives back when."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return began

    def left(self, began):
        """The code it leaves with, and how many seconds after that."""
        return self.process.wait(PATIENCE_S), time.monotonic() - began


@contextlib.contextmanager
def running(service, port, log, environment):
    """`service` with that environment and nothing else of ours; ended by its own id, whatever happens."""
    with log.open("w") as output:
        process = subprocess.Popen([binary(service)], env={"PATH": os.environ["PATH"]} | environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Running(process, port, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
