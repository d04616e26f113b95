"""The box game's server, as written for version 17."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import os

import websockets

PORT = int(os.environ.get("PORT", 8765))
COLORS = ["green", "blue", "red", "yellow"]
positions = {}


def send_positions(server):
    websockets.broadcast(server.connections, json.dumps({"positions": positions}))


async def handle_client(websocket):
    color = COLORS[len(positions) % len(COLORS)]
    mine = positions[str(websocket.id)] = {"x": 400, "y": 300, "color": color}
    try:
        await websocket.send(json.dumps({"your_color": color}))
        send_positions(websocket.server)
        async for message in websocket:
            move = json.loads(message)["move"]
            mine["x"] = max(0, min(740, mine["x"] + move["x"]))
            mine["y"] = max(0, min(540, mine["y"] + move["y"]))
            send_positions(websocket.server)
    finally:
        del positions[str(websocket.id)]
        send_positions(websocket.server)


async def main():
    async with websockets.serve(handle_client, "localhost", PORT) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"Server started on ws://localhost:{port}")
        await server.serve_forever()


asyncio.run(main())
