"""Subprotocols offered, chosen and told to either side."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets


async def handler(websocket, path):
    await websocket.send(f"{websocket.subprotocol}")


def choose(client_subprotocols, server_subprotocols):
    return "soap" if "soap" in client_subprotocols else None


async def main():
    for options in ({}, {"select_subprotocol": choose}):
        async with websockets.serve(
            handler, "localhost", 0, subprotocols=["chat", "soap"], **options
        ) as server:
            port = server.sockets[0].getsockname()[1]
            for offered in (["chat"], ["wamp", "soap"]):
                async with websockets.connect(
                    f"ws://localhost:{port}", subprotocols=offered
                ) as websocket:
                    print(offered, websocket.subprotocol, await websocket.recv())


asyncio.run(main())
