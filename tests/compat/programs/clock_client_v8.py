"""The clock's client, as written for version 8: it pings, and takes what comes in time."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import sys

import websockets


async def show(uri):
    async with websockets.connect(uri + "/clock", ping_timeout=None) as websocket:
        print(await asyncio.wait_for(websocket.recv(), timeout=10))
        pong_waiter = await websocket.ping()
        await asyncio.wait_for(pong_waiter, 10)
        times = []
        while len(times) < 3:
            times.append(await asyncio.wait_for(websocket.recv(), timeout=10))
        print(times == sorted(times), all(time.endswith("Z") for time in times))


uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8000"
asyncio.get_event_loop().run_until_complete(show(uri))
