"""A greeter, as written for version 10."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import os

import websockets

PORT = int(os.environ.get("PORT", 8765))


async def hello(websocket, path):
    name = await websocket.recv()
    print(f"< {name} ({path}, {websocket.open})")
    greeting = f"Hello {name}!"
    await websocket.send(greeting)
    print(f"> {greeting}")


async def main():
    async with websockets.serve(hello, "localhost", PORT) as server:
        print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
        await asyncio.Future()  # run forever


asyncio.run(main())
