"""A chat, as written for version 13: the new implementation, before it was the default."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import os
import time

import websockets
import websockets.asyncio.server

users = set()


async def chat(connection):
    since = time.monotonic()
    users.add(connection)
    websockets.asyncio.server.broadcast(
        users, json.dumps({"type": "users", "count": len(users)}), raise_exceptions=True
    )
    try:
        while True:
            data = json.loads(await connection.recv())
            websockets.asyncio.server.broadcast(
                users, json.dumps({"type": "said", "text": data["text"], "by": data["name"]})
            )
    except websockets.ConnectionClosed as exc:
        connection.logger.debug("left after %.1f s: %s", time.monotonic() - since, exc)
    finally:
        users.discard(connection)
        websockets.asyncio.server.broadcast(
            users, json.dumps({"type": "users", "count": len(users)})
        )


async def main():
    port = int(os.environ.get("PORT", 6789))
    async with websockets.asyncio.server.serve(chat, "localhost", port) as server:
        print(f"Server started on ws://localhost:{server.sockets[0].getsockname()[1]}")
        await server.serve_forever()


asyncio.run(main())
