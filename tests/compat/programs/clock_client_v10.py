"""The clock's client, as written for version 10."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import sys

import websockets


async def show():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8000"
    async for websocket in websockets.connect(uri + "/clock"):
        try:
            print(await websocket.recv())
            times = [await websocket.recv() for _ in range(3)]
            print(times == sorted(times), all(time.endswith("Z") for time in times))
            break
        except websockets.ConnectionClosed:
            continue


asyncio.run(show())
