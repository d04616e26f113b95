"""Paths routed with werkzeug, as the documentation shows it."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.router import route
from werkzeug.routing import Map, Rule


async def channel_handler(websocket, channel_id):
    await websocket.send(f"channel {channel_id + 1}")


async def lobby(websocket):
    await websocket.send("lobby")


url_map = Map(
    [
        Rule("/channel/<int:channel_id>", endpoint=channel_handler),
        Rule("/lobby", endpoint=lobby),
        Rule("/old", redirect_to="/lobby"),
    ]
)


async def main():
    async with route(url_map, "localhost", 0) as server:
        uri = f"ws://localhost:{server.sockets[0].getsockname()[1]}"
        for path in ("/channel/42", "/lobby", "/old", "/nowhere"):
            try:
                async with connect(uri + path) as websocket:
                    print(await websocket.recv())
            except websockets.InvalidStatus as exc:
                print(exc.response.status_code)


asyncio.run(main())
