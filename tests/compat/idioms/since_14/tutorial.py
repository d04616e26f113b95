"""The tutorial of today: a game's server, its events and its end."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json

from websockets.asyncio.client import connect
from websockets.asyncio.server import broadcast, serve

JOIN = {}


async def play(websocket, player, connected):
    async for message in websocket:
        event = json.loads(message)
        assert event["type"] == "play"
        broadcast(connected, json.dumps({"type": "play", "player": player, **event}))


async def handler(websocket):
    message = await websocket.recv()
    event = json.loads(message)
    key = event.get("join", "first")
    connected = JOIN.setdefault(key, set())
    connected.add(websocket)
    try:
        await websocket.send(json.dumps({"type": "init", "players": len(connected)}))
        await play(websocket, len(connected), connected)
    finally:
        connected.remove(websocket)


async def main():
    async with serve(handler, "localhost", 0) as server:
        uri = f"ws://localhost:{server.sockets[0].getsockname()[1]}"
        async with connect(uri) as one, connect(uri) as two:
            await one.send(json.dumps({"type": "init"}))
            print(await one.recv())
            await two.send(json.dumps({"type": "init", "join": "first"}))
            print(await two.recv())
            await two.send(json.dumps({"type": "play", "column": 3}))
            print(await one.recv(), await two.recv())
        print(one.close_code, two.close_code)


if __name__ == "__main__":
    asyncio.run(main())
