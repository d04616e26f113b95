"""The documentation's server that ends with the signal its platform sends."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import os
import signal

import websockets


async def echo(websocket):
    async for message in websocket:
        await websocket.send(message)
    print("handler ends", websocket.close_code)


async def server():
    loop = asyncio.get_running_loop()
    stop = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, stop.set_result, None)
    async with websockets.serve(echo, host="localhost", port=0, reuse_port=True) as serving:
        client = await websockets.connect(f"ws://localhost:{serving.sockets[0].getsockname()[1]}")
        await client.send("hello")
        print(await client.recv())
        os.kill(os.getpid(), signal.SIGTERM)
        await stop
    await client.wait_closed()
    print("client sees", client.close_code, serving.is_serving(), len(serving.websockets))


asyncio.run(server())
