"""A greeter's client, as written for version 8."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import sys

import websockets


async def hello():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765"
    async with websockets.connect(uri) as websocket:
        name = input("What's your name? ")

        await websocket.send(name)
        print(f"> {name}")

        greeting = await websocket.recv()
        print(f"< {greeting}")


asyncio.get_event_loop().run_until_complete(hello())
