"""The clock's client, as written for version 13: the legacy client, by its own module."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import sys

from websockets.client import WebSocketClientProtocol, connect
from websockets.exceptions import ConnectionClosedOK


async def receive(websocket: WebSocketClientProtocol, count: int):
    times = []
    try:
        async for message in websocket:
            times.append(message)
            if len(times) == count:
                break
    except ConnectionClosedOK:
        print("closed", websocket.close_code, websocket.close_reason)
    return times


async def main():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8000"
    async with connect(uri + "/clock", user_agent_header="clock/13") as websocket:
        print(await websocket.recv())
        times = await receive(websocket, 3)
        print(times == sorted(times), all(time.endswith("Z") for time in times))


if __name__ == "__main__":
    asyncio.run(main())
