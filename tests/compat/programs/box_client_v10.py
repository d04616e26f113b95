"""The box game's client without its window, as written for version 10."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import sys

import websockets


async def receive_positions(websocket, own_color, moved):
    start = None
    while True:
        positions = json.loads(await websocket.recv())["positions"]
        x = next(p["x"] for p in positions.values() if p["color"] == own_color)
        start = x if start is None else start
        if x - start >= 50:
            moved.set_result(x - start)
            return


async def play():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765"
    async with websockets.connect(uri) as websocket:
        own_color = json.loads(await websocket.recv())["your_color"]
        print(f"You are: {own_color}")
        moved = asyncio.get_event_loop().create_future()
        asyncio.ensure_future(receive_positions(websocket, own_color, moved))
        while not moved.done() and websocket.open:
            await websocket.send(json.dumps({"move": {"x": 5, "y": 0}}))
            await asyncio.sleep(1 / 60)
        print(f"Moved by {moved.result()}")


asyncio.run(play())
