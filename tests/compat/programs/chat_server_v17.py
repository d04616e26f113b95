"""A chat, as written for version 17."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import os

from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosed

PORT = int(os.environ.get("PORT", 6789))
USERS = set()


async def chat(websocket):
    USERS.add(websocket)
    broadcast(USERS, json.dumps({"type": "users", "count": len(USERS)}))
    try:
        async for message in websocket:
            data = json.loads(message)
            broadcast(USERS, json.dumps({"type": "said", "text": data["text"], "by": data["name"]}))
    except ConnectionClosed:
        pass
    finally:
        USERS.remove(websocket)
        broadcast(USERS, json.dumps({"type": "users", "count": len(USERS)}))


async def main():
    async with serve(chat, "localhost", PORT) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"Server started on ws://localhost:{port}")
        await server.serve_forever()


asyncio.run(main())
