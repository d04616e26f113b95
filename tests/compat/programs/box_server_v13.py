"""The box game's server, as written for version 13: the legacy module, by its full name."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import os
from typing import Dict

import websockets
from websockets.legacy.server import WebSocketServerProtocol

COLORS = ["green", "blue", "red", "yellow"]
clients: Dict[WebSocketServerProtocol, dict] = {}


def tell_everybody():
    positions = {str(client.id): position for client, position in clients.items()}
    websockets.broadcast(list(clients), json.dumps({"positions": positions}))


async def handle_client(websocket: WebSocketServerProtocol) -> None:
    color = COLORS[len(clients) % len(COLORS)]
    clients[websocket] = {"x": 400, "y": 300, "color": color}
    try:
        await websocket.send(json.dumps({"your_color": color}))
        tell_everybody()
        async for message in websocket:
            move = json.loads(message)["move"]
            clients[websocket]["x"] += move["x"]
            clients[websocket]["y"] += move["y"]
            tell_everybody()
    except websockets.exceptions.ConnectionClosedError:
        print("gone", websocket.close_code)
    finally:
        clients.pop(websocket)
        tell_everybody()


async def main():
    port = int(os.environ.get("PORT", 8765))
    server = await websockets.serve(handle_client, "localhost", port, ping_timeout=None)
    print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
    await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())
