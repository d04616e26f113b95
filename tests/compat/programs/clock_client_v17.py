"""The clock's client, as written for version 17: with threads."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import sys

import websockets.sync.client

uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8000"
with websockets.sync.client.connect(uri + "/clock") as websocket:
    print(websocket.recv(timeout=5))
    times = [websocket.recv(timeout=5) for _ in range(3)]
    print(times == sorted(times), all(time.endswith("Z") for time in times))
