"""A chat's client, as written for version 10: whichever ends first ends both."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import sys

import websockets


async def consumer_handler(websocket):
    async for message in websocket:
        print(message)
        if "Bye" in message:
            return


async def producer_handler(websocket):
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await websocket.send(json.dumps({"name": "Alice", "text": line.strip()}))
    await websocket.wait_closed()


async def chat():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:6789"
    async with websockets.connect(uri) as websocket:
        consumer_task = asyncio.create_task(consumer_handler(websocket))
        producer_task = asyncio.create_task(producer_handler(websocket))
        done, pending = await asyncio.wait(
            [consumer_task, producer_task], return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()


asyncio.run(chat())
