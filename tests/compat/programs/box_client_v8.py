"""The box game's client without its window, as written for version 8: a task that receives."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import sys

import websockets


class Client:
    def __init__(self, uri):
        self.uri = uri
        self.positions = {}

    async def receive(self):
        while True:
            data = json.loads(await self.websocket.recv())
            self.positions = data["positions"]

    def x(self):
        return [p["x"] for p in self.positions.values() if p["color"] == self.color][0]

    async def play(self):
        self.websocket = await websockets.connect(self.uri, close_timeout=1, read_limit=2**16)
        try:
            self.color = json.loads(await self.websocket.recv())["your_color"]
            print("You are: %s" % self.color)
            task = asyncio.get_event_loop().create_task(self.receive())
            while not self.positions:
                await asyncio.sleep(0.01)
            start = self.x()
            while self.x() - start < 50:
                if self.x() - start < 50:
                    before = self.x()
                    await self.websocket.send('{"move": {"x": 5, "y": 0}}')
                    while self.x() == before:
                        await asyncio.sleep(0.001)
            print("Moved by %d" % (self.x() - start))
            task.cancel()
        finally:
            await self.websocket.close()


client = Client(sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765")
asyncio.get_event_loop().run_until_complete(client.play())
