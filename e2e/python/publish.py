"""Publishes one job with Google's own Pub/Sub client, as any service of an application would.

Usage: publish.py TOPIC BODY [NAME=VALUE ...]. The server is the one that PUBSUB_EMULATOR_HOST names. Prints the message id.
"""

import sys

from google.cloud import pubsub_v1

DEADLINE_S = 20


def main(topic: str, body: str, *attributes: str) -> None:
    publisher = pubsub_v1.PublisherClient()
    message = publisher.publish(topic, body.encode(), **dict(attribute.split("=", 1) for attribute in attributes))
    print(message.result(timeout=DEADLINE_S))
    publisher.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
