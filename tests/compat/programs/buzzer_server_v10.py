"""Who presses first, as written for version 10: it ends by a signal."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import os
import signal
import time

import websockets

first_press = None


async def buzzer(websocket, path):
    global first_press
    while True:
        try:
            await asyncio.wait_for(websocket.recv(), timeout=60)
        except (websockets.exceptions.ConnectionClosed, asyncio.TimeoutError):
            break
        if first_press is None:
            first_press = time.perf_counter()
            await websocket.send("first place!")
        else:
            behind = time.perf_counter() - first_press
            await websocket.send(f"response time: {behind:.2f} seconds slower!")


async def main():
    loop = asyncio.get_running_loop()
    stop = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, stop.set_result, None)
    port = int(os.environ.get("PORT", 8765))
    async with websockets.serve(buzzer, "localhost", port, ping_interval=20) as server:
        print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
        await stop


asyncio.run(main())
