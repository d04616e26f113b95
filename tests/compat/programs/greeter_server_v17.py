"""A greeter, as written for version 17."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import os

from websockets.asyncio.server import serve

PORT = int(os.environ.get("PORT", 8765))


async def hello(websocket):
    name = await websocket.recv()
    print(f"< {name}")
    greeting = f"Hello {name}!"
    await websocket.send(greeting)
    print(f"> {greeting}")


async def main():
    async with serve(hello, "localhost", PORT) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"Server started on ws://localhost:{port}")
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
