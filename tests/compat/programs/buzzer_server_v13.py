"""Who presses first, as written for version 13: a health check beside it."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import http
import os
import time

import websockets

PORT = int(os.environ.get("PORT", 8765))
first_press = None


async def health_check(path, request_headers):
    if path == "/healthz":
        return http.HTTPStatus.OK, {"X-Health": "good"}, b"OK\n"


async def buzzer(websocket):
    global first_press
    try:
        while True:
            await websocket.recv()
            if first_press is None:
                first_press = time.perf_counter()
                await websocket.send("first place!")
            else:
                behind = time.perf_counter() - first_press
                await websocket.send(f"response time: {behind:.2f} seconds slower!")
    except websockets.exceptions.ConnectionClosedOK:
        pass


async def main():
    stop = asyncio.get_running_loop().create_future()
    async with websockets.serve(buzzer, "localhost", PORT, process_request=health_check) as server:
        print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
        await stop


asyncio.run(main())
