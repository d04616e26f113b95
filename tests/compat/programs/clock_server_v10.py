"""A clock for everybody, as written for version 10."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import datetime
import os

import websockets

PORT = int(os.environ.get("PORT", 8000))
CLIENTS = set()


async def handler(websocket, path):
    CLIENTS.add(websocket)
    try:
        await websocket.send(f"Welcome to {path}, {len(CLIENTS)} here")
        await websocket.wait_closed()
    finally:
        CLIENTS.remove(websocket)


async def tick():
    while True:
        websockets.broadcast(CLIENTS, datetime.datetime.now().isoformat() + "Z")
        await asyncio.sleep(0.1)


async def main():
    async with websockets.serve(handler, "localhost", PORT, compression=None) as server:
        print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
        await tick()


asyncio.run(main())
