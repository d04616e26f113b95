"""Who presses first, as written for version 8: a protocol class of its own."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import os
import time

import websockets

PORT = int(os.environ.get("PORT", 8765))
first_press = None


class BuzzerProtocol(websockets.WebSocketServerProtocol):
    async def process_request(self, path, request_headers):
        if path == "/healthz":
            return 200, [], b"OK\n"
        return await super().process_request(path, request_headers)


async def buzzer(websocket, path):
    global first_press
    async for _ in websocket:
        if first_press is None:
            first_press = time.perf_counter()
            await websocket.send("first place!")
        else:
            behind = time.perf_counter() - first_press
            await websocket.send(f"response time: {behind:.2f} seconds slower!")


loop = asyncio.get_event_loop()
server = loop.run_until_complete(
    websockets.serve(buzzer, "localhost", PORT, create_protocol=BuzzerProtocol)
)
print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
loop.run_forever()
