"""A chat's client, as written for version 13: two threads on one connection."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import json
import sys
import threading

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


def type_away(websocket):
    try:
        for line in sys.stdin:
            websocket.send(json.dumps({"name": "Alice", "text": line.strip()}))
    except ConnectionClosed:
        pass


uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:6789"
with connect(uri) as websocket:
    threading.Thread(target=type_away, args=(websocket,), daemon=True).start()
    for message in websocket:
        print(message)
        if "Bye" in message:
            break
