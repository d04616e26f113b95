"""Handlers of every kind: partial, method, callable object, one argument or two."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import functools

import websockets


async def with_extra(websocket, path, extra_argument):
    await websocket.send(f"{path} {extra_argument}")


async def with_extra_first(store, websocket):
    await websocket.send(f"{websocket.path} {store}")


class Game:
    name = "game"

    async def handler(self, websocket, path):
        await websocket.send(f"{path} {self.name}")

    async def handle(self, websocket):
        await websocket.send(f"{websocket.path} {self.name}")

    @classmethod
    async def of_class(cls, websocket, path):
        await websocket.send(f"{path} {cls.__name__}")

    @staticmethod
    async def of_none(websocket, path="unset"):
        await websocket.send(f"{websocket.path} {path}")


HANDLERS = [
    functools.partial(with_extra, extra_argument="spam"),
    functools.partial(with_extra_first, "store"),
    Game().handler,
    Game().handle,
    Game.of_class,
    lambda websocket, path: with_extra(websocket, path, "lambda"),
]


async def main():
    for handler in HANDLERS:
        async with websockets.serve(handler, "localhost", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with websockets.connect(f"ws://localhost:{port}/room") as websocket:
                print(await websocket.recv())


asyncio.run(main())
