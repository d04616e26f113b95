"""A greeter's client, as written for version 10."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import sys

import websockets
from websockets.exceptions import ConnectionClosed


async def hello():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765"
    websocket = await websockets.connect(uri, extra_headers={"X-Client": "greeter"})
    try:
        name = input("What's your name? ")

        await websocket.send(name)
        print(f"> {name}")

        greeting = await websocket.recv()
        print(f"< {greeting}")
        await websocket.recv()
    except ConnectionClosed as exc:
        if exc.code != 1000 or websocket.open or not websocket.closed:
            raise
    finally:
        await websocket.close()


asyncio.run(hello())
