"""Basic authentication: a factory on the server, credentials in the client's URI."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets


async def hello(websocket):
    await websocket.send(f"Hello {websocket.username}!")


async def main():
    async with websockets.serve(
        hello,
        "localhost",
        0,
        create_protocol=websockets.basic_auth_protocol_factory(
            realm="example", credentials=("mary", "p@ssw0rd")
        ),
    ) as server:
        port = server.sockets[0].getsockname()[1]
        async with websockets.connect(f"ws://mary:p%40ssw0rd@localhost:{port}") as websocket:
            print(await websocket.recv())
        for credentials in ("mary:wrong@", ""):
            try:
                await websockets.connect(f"ws://{credentials}localhost:{port}")
            except websockets.exceptions.InvalidHandshake as exc:
                print(exc.status_code, exc.headers["WWW-Authenticate"])


asyncio.run(main())
