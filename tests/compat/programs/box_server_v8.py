"""The box game's server, as written for version 8: a class that holds the world."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import os

import websockets

COLORS = ["green", "blue", "red", "yellow"]


class Game:
    def __init__(self):
        self.clients = dict()
        self.positions = dict()

    async def broadcast(self):
        if self.clients:
            message = json.dumps({"positions": self.positions})
            sends = [client.send(message) for client in self.clients.values()]
            await asyncio.gather(*sends, return_exceptions=True)

    async def handler(self, websocket, path):
        client_id = "%s:%s" % websocket.remote_address[:2]
        color = COLORS[len(self.clients) % len(COLORS)]
        self.clients[client_id] = websocket
        self.positions[client_id] = {"x": 400, "y": 300, "color": color}
        try:
            await websocket.send(json.dumps({"your_color": color}))
            await self.broadcast()
            while websocket.open:
                try:
                    message = await websocket.recv()
                except websockets.ConnectionClosed as e:
                    assert e.code in (1000, 1001), e.reason
                    break
                move = json.loads(message)["move"]
                self.positions[client_id]["x"] += move["x"]
                self.positions[client_id]["y"] += move["y"]
                await self.broadcast()
        finally:
            del self.clients[client_id], self.positions[client_id]
            await self.broadcast()


game = Game()
loop = asyncio.get_event_loop()
server = loop.run_until_complete(
    websockets.serve(game.handler, "localhost", int(os.environ.get("PORT", 8765)), max_queue=32)
)
print("Server started on ws://localhost:%d" % server.sockets[0].getsockname()[1])
loop.run_forever()
