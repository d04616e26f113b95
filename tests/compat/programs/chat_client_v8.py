"""A chat's client, as written for version 8: a consumer and a producer."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import sys

import websockets


async def consumer(websocket):
    async for message in websocket:
        print(message)
        if "Bye" in message:
            break


async def producer(websocket):
    loop = asyncio.get_event_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            break
        await websocket.send(json.dumps({"name": "Alice", "text": line.strip()}))


async def chat(uri):
    async with websockets.connect(uri) as websocket:
        consumer_task = asyncio.ensure_future(consumer(websocket))
        producer_task = asyncio.ensure_future(producer(websocket))
        await asyncio.wait([consumer_task])
        producer_task.cancel()


uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:6789"
asyncio.get_event_loop().run_until_complete(chat(uri))
