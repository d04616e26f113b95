"""A greeter's client, as written for version 13: with threads."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import sys

from websockets.sync.client import connect


def hello():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765"
    with connect(uri) as websocket:
        name = input("What's your name? ")

        websocket.send(name)
        print(f"> {name}")

        greeting = websocket.recv()
        print(f"< {greeting}")


hello()
