"""Messages sent in parts, and of every type."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets


async def parts():
    for part in (b"from ", b"a ", b"generator"):
        yield part


async def handler(websocket, path):
    async for message in websocket:
        print(type(message).__name__, len(message), message[:20])
        await websocket.send([message, message])


async def main():
    async with websockets.serve(handler, "localhost", 0, max_size=2**16) as server:
        port = server.sockets[0].getsockname()[1]
        async with websockets.connect(f"ws://localhost:{port}", max_size=2**20) as ws:
            for message in (
                "text",
                b"bytes",
                bytearray(b"bytearray"),
                memoryview(b"memoryview"),
                ["a", "list"],
                parts(),
                "ü" * 100,
                "",
            ):
                await ws.send(message)
                print(len(await ws.recv()))
            for wrong in (None, 1, {"a": "mapping"}, ["mixed", b"types"]):
                try:
                    await ws.send(wrong)
                except TypeError:
                    print("no", type(wrong).__name__)
            await ws.wait_closed()
            print(ws.close_code)
        async with websockets.connect(f"ws://localhost:{port}") as ws:
            await ws.send("x" * (2**16 + 1))
            try:
                await ws.recv()
            except websockets.ConnectionClosedError as exc:
                print(exc.code)


asyncio.run(main())
