"""A greeter, as written for version 13: annotations and the legacy modules."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import os

from websockets.server import WebSocketServerProtocol, serve

PORT = int(os.environ.get("PORT", 8765))


async def hello(websocket: WebSocketServerProtocol):
    assert isinstance(websocket, WebSocketServerProtocol)
    agent = websocket.request_headers["User-Agent"]
    name = await websocket.recv()
    print(f"< {name} ({websocket.path}, {'websockets' in agent or 'ws6455' in agent})")
    greeting = f"Hello {name}!"
    await websocket.send(greeting)
    print(f"> {greeting}")


async def main():
    async with serve(hello, "localhost", PORT, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"Server started on ws://localhost:{port}")
        await server.serve_forever()


asyncio.run(main())
