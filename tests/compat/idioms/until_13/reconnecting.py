"""An endless client: another connection whenever one has ended."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets


async def handler(websocket):
    number = handler.calls = handler.calls + 1
    await websocket.send(f"connection {number}")
    if number == 2:
        await websocket.close(1012, "restart")


handler.calls = 0


async def main():
    async with websockets.serve(handler, "localhost", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async for websocket in websockets.connect(f"ws://localhost:{port}"):
            try:
                async for message in websocket:
                    print(message)
            except websockets.ConnectionClosed as exc:
                print("lost", exc.code)
                continue
            print("ended")
            if handler.calls == 3:
                break


asyncio.run(main())
