"""The box game's client without its window, as written for version 13: a thread for the network."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import queue
import sys
import threading

import websockets

received = queue.Queue()


class Network(threading.Thread):
    def __init__(self, uri):
        super().__init__(daemon=True)
        self.uri = uri
        self.loop = asyncio.new_event_loop()
        self.websocket = None

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.receive())
        self.loop.close()

    async def receive(self):
        async with websockets.connect(self.uri) as self.websocket:
            async for message in self.websocket:
                received.put(json.loads(message))

    def send(self, data):
        asyncio.run_coroutine_threadsafe(self.websocket.send(json.dumps(data)), self.loop).result()

    def close(self):
        asyncio.run_coroutine_threadsafe(self.websocket.close(), self.loop)
        self.join()


network = Network(sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765")
network.start()
color = received.get()["your_color"]
print(f"You are: {color}")
start = x = None
while start is None or x - start < 50:
    positions = received.get()["positions"]
    x = next(p["x"] for p in positions.values() if p["color"] == color)
    start = start or x
    network.send({"move": {"x": 5, "y": 0}})
print(f"Moved by {x - start}")
network.close()
