"""An endless client that tells errors worth another attempt from those that are not."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import itertools

import websockets
from websockets.asyncio.client import connect, process_exception
from websockets.asyncio.server import serve


def process_request(connection, request):
    process_request.calls += 1
    if process_request.calls == 1:
        return connection.respond(503, "later\n")
    if process_request.calls == 4:
        return connection.respond(403, "never again\n")
    return None


process_request.calls = 0


async def handler(websocket):
    await websocket.send("hello")


def tell(exc):
    fatal = process_exception(exc)
    print(type(exc).__name__, exc, "transient" if fatal is None else "fatal")
    return fatal


async def main():
    async with serve(handler, "localhost", 0, process_request=process_request) as server:
        uri = f"ws://localhost:{server.sockets[0].getsockname()[1]}"
        try:
            async for websocket in connect(
                uri, process_exception=tell, reconnect_delays=lambda: itertools.repeat(0.01)
            ):
                try:
                    while True:
                        print(await websocket.recv())
                except websockets.exceptions.ConnectionClosed:
                    continue
        except websockets.exceptions.InvalidStatus as exc:
            print("gave up", exc.response.status_code)


asyncio.run(main())
