"""Basic authentication as it is now, with a check of the program's own."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import hmac

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import basic_auth, serve

USERS = {"mary": "p@ssw0rd"}


async def check_credentials(username, password):
    expected = USERS.get(username, "")
    return hmac.compare_digest(expected, password) and username in USERS


async def handler(websocket):
    await websocket.send(websocket.username)


async def main():
    for options in (
        {"credentials": ("mary", "p@ssw0rd")},
        {"credentials": [("mary", "p@ssw0rd"), ("bob", "x")]},
        {"check_credentials": check_credentials},
    ):
        async with serve(
            handler, "localhost", 0, process_request=basic_auth("my server", **options)
        ) as server:
            port = server.sockets[0].getsockname()[1]
            async with connect(f"ws://mary:p%40ssw0rd@localhost:{port}") as websocket:
                print(await websocket.recv())
            for user in ("mary:no@", "eve:p%40ssw0rd@", ""):
                try:
                    await connect(f"ws://{user}localhost:{port}")
                except websockets.InvalidStatus as exc:
                    print(exc.response.status_code, exc.response.headers["WWW-Authenticate"])


asyncio.run(main())
