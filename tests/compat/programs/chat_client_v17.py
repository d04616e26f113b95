"""A chat's client, as written for version 17: tasks in a group."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import sys

from websockets import ConnectionClosedOK
from websockets.asyncio.client import connect


async def show(websocket):
    try:
        while True:
            print(message := await websocket.recv())
            if "Bye" in message:
                await websocket.close()
    except ConnectionClosedOK:
        pass


async def main():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:6789"
    async with connect(uri) as websocket, asyncio.TaskGroup() as tasks:
        tasks.create_task(show(websocket))
        while line := await asyncio.to_thread(sys.stdin.readline):
            await websocket.send(json.dumps({"name": "Alice", "text": line.strip()}))


asyncio.run(main())
