"""A server of the box game as written for `websockets` 13, apart from the import.

Usage: ``python first_server.py PORT``.
"""

import asyncio
import json
import sys
from typing import Any

import ws6455 as websockets

COLORS = ["green", "blue", "red", "yellow", "purple", "orange", "pink", "cyan"]

clients: dict[str, Any] = {}
positions: dict[str, dict[str, Any]] = {}


async def send_positions() -> None:
    message = json.dumps({"positions": positions})
    for websocket in list(clients.values()):
        await websocket.send(message)


async def handle_client(websocket: Any, path: str) -> None:
    host, port = websocket.remote_address[:2]
    client_id = f"{host}:{port}"
    used = [position["color"] for position in positions.values()]
    color = next(color for color in COLORS if color not in used)
    clients[client_id] = websocket
    positions[client_id] = {"x": 400, "y": 300, "color": color}
    try:
        await websocket.send(json.dumps({"your_color": color}))
        await send_positions()
        async for message in websocket:
            move = json.loads(message)["move"]
            position = positions[client_id]
            position["x"] = max(0, min(740, position["x"] + move["x"]))
            position["y"] = max(0, min(540, position["y"] + move["y"]))
            await send_positions()
    except websockets.exceptions.ConnectionClosed:
        print(f"{color} is gone")
    finally:
        del clients[client_id]
        del positions[client_id]
        await send_positions()


async def main() -> None:
    port = int(sys.argv[1])
    async with websockets.serve(handle_client, "localhost", port):
        print(f"Server started on ws://localhost:{port}", flush=True)
        await asyncio.Future()


asyncio.run(main())
