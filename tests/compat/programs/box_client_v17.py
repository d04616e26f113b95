"""The box game's client without its window, as written for version 17."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import sys

from websockets.asyncio.client import connect


async def play():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765"
    async with connect(uri) as websocket:
        own_color = json.loads(await websocket.recv())["your_color"]
        print(f"You are: {own_color}")
        start = x = None
        while start is None or x - start < 50:
            positions = json.loads(await websocket.recv(decode=True))["positions"]
            x = next(p["x"] for p in positions.values() if p["color"] == own_color)
            start = x if start is None else start
            await websocket.send(json.dumps({"move": {"x": 5, "y": 0}}))
        print(f"Moved by {x - start}")


asyncio.run(play())
