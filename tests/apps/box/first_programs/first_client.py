"""A client of the box game as written for `websockets` 13, apart from the import.

Usage: ``python first_client.py URI``. It moves 50 pixels to the right and prints its position.
"""

import asyncio
import json
import sys

import ws6455 as websockets


async def main() -> None:
    try:
        async with websockets.connect(sys.argv[1]) as websocket:
            my_color = json.loads(await websocket.recv())["your_color"]
            print(f"You are: {my_color}", flush=True)
            positions = json.loads(await websocket.recv())["positions"]
            start = next(p["x"] for p in positions.values() if p["color"] == my_color)
            for _ in range(10):
                await websocket.send(json.dumps({"move": {"x": 5, "y": 0}}))
                await asyncio.sleep(1 / 60)
            x = start
            while x < start + 50:
                positions = json.loads(await websocket.recv())["positions"]
                for position in positions.values():
                    if position["color"] == my_color:
                        x = position["x"]
            print(f"Moved by {x - start}", flush=True)
    except websockets.exceptions.ConnectionClosed as closed:
        print(f"The server is gone: {closed}")


asyncio.run(main())
