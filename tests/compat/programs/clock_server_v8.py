"""A clock for everybody, as written for version 8: a server that is waited for."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import datetime
import os

import websockets

CLIENTS = set()


async def handler(websocket, path):
    CLIENTS.add(websocket)
    await websocket.send("Welcome to %s, %d here" % (path, len(CLIENTS)))
    try:
        await asyncio.wait_for(websocket.wait_closed(), 3600)
    finally:
        CLIENTS.remove(websocket)


async def tick():
    while True:
        now = datetime.datetime.now().isoformat() + "Z"
        for websocket in list(CLIENTS):
            if websocket.open:
                try:
                    await websocket.send(now)
                except websockets.exceptions.ConnectionClosed:
                    pass
        await asyncio.sleep(0.1)


async def main():
    server = await websockets.serve(handler, "localhost", int(os.environ.get("PORT", 8000)))
    print("Server started on ws://localhost:%d" % server.sockets[0].getsockname()[1])
    await tick()


asyncio.get_event_loop().run_until_complete(main())
