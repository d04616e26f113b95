"""A chat, as written for version 10: every connection has its queue."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import os

import websockets

QUEUES = set()


def tell(message):
    for queue in QUEUES:
        queue.put_nowait(json.dumps(message))


async def relay(queue, websocket):
    while True:
        await websocket.send(await queue.get())


async def chat(websocket, path):
    queue = asyncio.Queue()
    relay_task = asyncio.create_task(relay(queue, websocket))
    QUEUES.add(queue)
    tell({"type": "users", "count": len(QUEUES)})
    try:
        async for message in websocket:
            data = json.loads(message)
            tell({"type": "said", "text": data["text"], "by": data["name"]})
    finally:
        QUEUES.remove(queue)
        relay_task.cancel()
        tell({"type": "users", "count": len(QUEUES)})


async def main():
    async with websockets.serve(chat, "localhost", int(os.environ.get("PORT", 6789))) as server:
        print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
        await asyncio.Future()  # run forever


asyncio.run(main())
