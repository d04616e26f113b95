"""A greeter's client, as written for version 17."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import sys

from websockets.asyncio.client import connect


async def hello():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765"
    async with connect(uri) as websocket:
        name = input("What's your name? ")

        await websocket.send(name)
        print(f"> {name}")

        greeting = await websocket.recv()
        print(f"< {greeting}")


if __name__ == "__main__":
    asyncio.run(hello())
