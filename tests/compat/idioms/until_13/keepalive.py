"""Pings by parameters and by hand, and the latency."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets


async def handler(websocket):
    await websocket.wait_closed()


async def main():
    options = {"ping_interval": 0.05, "ping_timeout": 5, "close_timeout": 1}
    async with websockets.serve(handler, "localhost", 0, **options) as server:
        uri = f"ws://localhost:{server.sockets[0].getsockname()[1]}"
        async with websockets.connect(uri, **options) as ws:
            print(ws.latency == 0, ws.ping_interval, ws.ping_timeout, ws.close_timeout)
            while not ws.latency:
                await asyncio.sleep(0.01)
            print(0 < ws.latency < 5)
            pong_waiter = await ws.ping("by hand")
            latency = await pong_waiter
            print(type(latency).__name__, latency == ws.latency)
            await ws.pong(b"nobody asked")
            for same in ("same", "same"):
                try:
                    waiter = await ws.ping(same)
                except RuntimeError as exc:
                    print(isinstance(exc, RuntimeError))
            await waiter
        async with websockets.connect(uri, ping_interval=None) as ws:
            print(ws.ping_interval, ws.open)


asyncio.run(main())
