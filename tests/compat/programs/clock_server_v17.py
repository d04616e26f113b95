"""A clock for everybody, as written for version 17."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import datetime
import os

from websockets.asyncio.server import broadcast, serve

PORT = int(os.environ.get("PORT", 8000))


async def handler(websocket):
    here = len(websocket.server.connections)
    await websocket.send(f"Welcome to {websocket.request.path}, {here} here")
    await websocket.wait_closed()


async def main():
    async with serve(handler, "localhost", PORT) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"Server started on ws://localhost:{port}")
        while True:
            now = datetime.datetime.now(datetime.timezone.utc)
            broadcast(server.connections, now.isoformat().replace("+00:00", "Z"))
            await asyncio.sleep(0.1)


asyncio.run(main())
