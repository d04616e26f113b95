"""Who presses first, as written for version 17: a health check, and origins."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import http
import os
import re
import time

from websockets.asyncio.server import serve

first_press = None


def health_check(connection, request):
    if request.path == "/healthz":
        return connection.respond(http.HTTPStatus.OK, "OK\n")


async def buzzer(websocket):
    global first_press
    async for _ in websocket:
        if first_press is None:
            first_press = time.perf_counter()
            await websocket.send("first place!")
        else:
            behind = time.perf_counter() - first_press
            await websocket.send(f"response time: {behind:.2f} seconds slower!")


async def main():
    async with serve(
        buzzer,
        "localhost",
        int(os.environ.get("PORT", 8765)),
        process_request=health_check,
        origins=[None, re.compile(r"https?://localhost(:\d+)?")],
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"Server started on ws://localhost:{port}")
        await server.serve_forever()


asyncio.run(main())
