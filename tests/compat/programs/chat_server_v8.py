"""A chat, as written for version 8."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import logging
import os

import websockets

logging.basicConfig()
logging.getLogger("websockets").setLevel(logging.ERROR)

PORT = int(os.environ.get("PORT", 6789))
USERS = set()


async def notify(message):
    if USERS:
        await asyncio.gather(*[user.send(json.dumps(message)) for user in USERS])


async def chat(websocket, path):
    USERS.add(websocket)
    await notify({"type": "users", "count": len(USERS)})
    try:
        async for message in websocket:
            data = json.loads(message)
            await notify({"type": "said", "text": data["text"], "by": data["name"]})
    finally:
        USERS.remove(websocket)
        await notify({"type": "users", "count": len(USERS)})


loop = asyncio.get_event_loop()
server = loop.run_until_complete(websockets.serve(chat, "localhost", PORT, timeout=5))
print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
loop.run_forever()
