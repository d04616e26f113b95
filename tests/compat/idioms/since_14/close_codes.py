"""Closing with codes and reasons, from either side and by the server as a whole."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, ProtocolError

SEEN = []


async def handler(websocket):
    try:
        async for message in websocket:
            await websocket.close(int(message), "as you wish")
    except ConnectionClosedError as exc:
        SEEN.append(("server sees", exc.code, exc.reason, exc.rcvd_then_sent))


async def main():
    server = await serve(handler, "localhost", 0)
    uri = f"ws://localhost:{server.sockets[0].getsockname()[1]}"
    for code in (1000, 1001, 1008, 1012, 3000, 4999):
        async with connect(uri) as websocket:
            await websocket.send(str(code))
            try:
                await websocket.recv()
            except (ConnectionClosedOK, ConnectionClosedError) as exc:
                print(type(exc).__name__, exc.rcvd, exc.sent, exc.rcvd_then_sent)
    async with connect(uri) as websocket:
        try:
            await websocket.close(1006)
        except ProtocolError as exc:
            print(type(exc).__name__)
    async with connect(uri) as websocket:
        await websocket.close(1001, "client is done")
        await websocket.close()
        await websocket.wait_closed()
        print(websocket.close_code, websocket.close_reason)
        for action in (websocket.send("late"), websocket.recv(), websocket.ping()):
            try:
                await action
            except websockets.ConnectionClosed as exc:
                print(exc)
        async for message in websocket:
            print(message)
    try:
        async with connect(uri) as websocket:
            raise LookupError
    except LookupError:
        print(websocket.close_code)
    async with connect(uri) as websocket:
        server.close(code=1012, reason="restart")
        await server.wait_closed()
        try:
            async for message in websocket:
                print(message)
        except ConnectionClosedError as exc:
            print(exc, websocket.close_code)
    print(SEEN)


asyncio.run(main())
