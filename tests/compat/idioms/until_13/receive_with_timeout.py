"""Waiting for a message for some time, then asking whether the server is there."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets


async def handler(ws, path):
    await ws.recv()
    await ws.send("at last")
    await ws.wait_closed()


async def main():
    server = await websockets.serve(handler, "localhost", 0)
    port = server.sockets[0].getsockname()[1]
    websocket = await asyncio.wait_for(websockets.connect(f"ws://localhost:{port}"), 10)
    for attempt in range(2):
        try:
            print(await asyncio.wait_for(websocket.recv(), timeout=0.05 if attempt == 0 else 10))
        except asyncio.TimeoutError:
            pong_waiter = await websocket.ping()
            await asyncio.wait_for(pong_waiter, timeout=10)
            print("no message, but a pong")
            await websocket.send("go on")
    await websocket.close()
    server.close()
    await server.wait_closed()


asyncio.run(main())
