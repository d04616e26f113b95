"""A server and a client on a Unix socket, as behind a proxy."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import os.path
import tempfile

import websockets


async def echo(websocket):
    async for message in websocket:
        await websocket.send(message)


async def main():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "socket")
        server = await websockets.unix_serve(echo, path)
        async with websockets.unix_connect(path) as websocket:
            await websocket.send("over a file")
            print(await websocket.recv(), websocket.request_headers["Host"])
        server.close()
        await server.wait_closed()


asyncio.run(main())
