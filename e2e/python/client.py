"""The stock python-socketio client: connects, submits text and bytes, and gets both back.

Usage: client.py URL TRANSPORT. Prints one JSON object with what it saw.
"""

import json
import queue
import sys
import uuid

import socketio

DEADLINE_S = 20
TERMINAL = {"succeeded", "failed", "cancelled"}


def main(url: str, transport: str) -> None:
    heard: queue.Queue[tuple[str, object]] = queue.Queue()
    client = socketio.Client(reconnection=False)
    for name in ("hostname", "welcome", "job:event"):
        client.on(name, lambda payload, name=name: heard.put((name, payload)))
    client.connect(url, transports=[transport])

    def until(wanted) -> object:
        while True:
            name, payload = heard.get(timeout=DEADLINE_S)
            if wanted(name, payload):
                return payload

    def run(payload: object) -> dict:
        job = str(uuid.uuid4())
        answer = client.call("job:submit", {"id": job, "kind": "echo", "payload": payload}, timeout=DEADLINE_S)
        assert answer["ok"] and answer["id"] == job, answer
        return until(lambda name, event: name == "job:event" and event["jobId"] == job and event["type"] in TERMINAL)

    hostname = until(lambda name, _: name == "hostname")
    welcome = until(lambda name, _: name == "welcome")
    text = {"text": "from Python", "list": [1, None, True]}
    content = bytes(range(256)) * 64
    text_end = run(text)
    bytes_end = run(content)
    nested_end = run({"name": "part", "content": content})
    result = {
        "hostname": hostname,
        "session": welcome["session"]["id"],
        "pong": client.call("ping", {"n": 1}, timeout=DEADLINE_S),
        "types": [end["type"] for end in (text_end, bytes_end, nested_end)],
        "text_came_back": text_end["data"] == text,
        "bytes_came_back": bytes_end["data"] == content,
        "nested_bytes_came_back": nested_end["data"] == {"name": "part", "content": content},
        "refusal": client.call("job:submit", {"kind": "no-such-kind", "payload": 1}, timeout=DEADLINE_S)["error"]["code"],
    }
    client.disconnect()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
