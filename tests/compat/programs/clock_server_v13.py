"""A clock for everybody, as written for version 13: each connection has its own task."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import contextlib
import datetime
import os

import websockets
from websockets.server import serve

CLIENTS = set()


async def tick(websocket):
    while True:
        await websocket.send(datetime.datetime.now().isoformat() + "Z")
        await asyncio.sleep(0.1)


async def handler(websocket):
    CLIENTS.add(websocket)
    await websocket.send(f"Welcome to {websocket.path}, {len(CLIENTS)} here")
    task = asyncio.create_task(tick(websocket))
    await websocket.wait_closed()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, websockets.ConnectionClosed):
        await task
    CLIENTS.discard(websocket)


async def main():
    async with serve(handler, "localhost", int(os.environ.get("PORT", 8000))) as server:
        print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
        await server.wait_closed()


asyncio.run(main())
