"""How a connection closed, caught by every name there was."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import logging

import websockets
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK


async def handler(websocket, path):
    code = int(path[1:])
    if code == 1011:
        raise RuntimeError("the handler fails")
    if code == 1006:
        websocket.transport.abort()
        await websocket.wait_closed()
    else:
        await websocket.close(code, reason=f"as asked on {path}")


async def main():
    async with websockets.serve(handler, "localhost", 0) as server:
        uri = f"ws://localhost:{server.sockets[0].getsockname()[1]}"
        for code in (1000, 1001, 1006, 1011, 4000):
            websocket = await websockets.connect(f"{uri}/{code}")
            try:
                await websocket.recv()
            except (websockets.ConnectionClosedOK, websockets.ConnectionClosedError) as e:
                print(e.code, e.reason, isinstance(e, ConnectionClosed))
                print(isinstance(e, ConnectionClosedOK), isinstance(e, ConnectionClosedError))
                print(isinstance(e, websockets.WebSocketException), str(e))
            try:
                await websocket.send("too late")
            except ConnectionClosed as e:
                print(type(e).__name__, e.code)


logging.getLogger("websockets").setLevel(logging.CRITICAL)
asyncio.run(main())
