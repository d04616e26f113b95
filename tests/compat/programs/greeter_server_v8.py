"""A greeter, as written for version 8."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import os

import websockets

PORT = int(os.environ.get("PORT", 8765))


async def hello(websocket, path):
    name = await websocket.recv()
    print(f"< {name}")
    greeting = f"Hello {name}!"
    await websocket.send(greeting)
    print(f"> {greeting}")


start_server = websockets.serve(hello, "localhost", PORT)

loop = asyncio.get_event_loop()
server = loop.run_until_complete(start_server)
print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
loop.run_forever()
