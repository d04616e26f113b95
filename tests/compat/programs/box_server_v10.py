"""The box game's server, as written for version 10."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import os

import websockets

PORT = int(os.environ.get("PORT", 8765))
COLORS = ["green", "blue", "red", "yellow"]
clients = {}
positions = {}


async def broadcast_positions():
    message = json.dumps({"positions": positions})
    await asyncio.gather(
        *[client.send(message) for client in clients.values()], return_exceptions=True
    )


async def handle_client(websocket, path):
    client_id = str(id(websocket))
    color = COLORS[len(clients) % len(COLORS)]
    clients[client_id] = websocket
    positions[client_id] = {"x": 400, "y": 300, "color": color}
    try:
        await websocket.send(json.dumps({"your_color": color}))
        await broadcast_positions()
        async for message in websocket:
            move = json.loads(message)["move"]
            positions[client_id]["x"] = max(0, min(740, positions[client_id]["x"] + move["x"]))
            positions[client_id]["y"] = max(0, min(540, positions[client_id]["y"] + move["y"]))
            await broadcast_positions()
    except websockets.exceptions.ConnectionClosed:
        pass
    finally:
        del clients[client_id]
        del positions[client_id]
        await broadcast_positions()


async def main():
    server = await websockets.serve(handle_client, "localhost", PORT)
    print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
    await server.wait_closed()


asyncio.run(main())
