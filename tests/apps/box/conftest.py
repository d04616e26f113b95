"""Fixtures: a box game in the test's process, and a connection to it that can be cut."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

# Must be set before pygame is imported: the tests' windows need no screen.
os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"

import websockets

import ws6455
from apps.box.server import Game

ServeGame = Callable[..., Awaitable[tuple[Game, str]]]


@pytest.fixture
async def serve_game() -> AsyncIterator[ServeGame]:
    """Return a coroutine function ``serve_game(grace=..., sock=...)`` -> the game, its address."""
    async with contextlib.AsyncExitStack() as stack:

        async def serve(grace: float = 30.0, sock: socket.socket | None = None) -> tuple[Game, str]:
            game = Game(grace)
            place: dict[str, Any] = {"sock": sock} if sock else {"host": "127.0.0.1", "port": 0}
            server = await stack.enter_async_context(ws6455.serve(game.handle, **place))
            steps = asyncio.create_task(game.run())
            stack.callback(steps.cancel)
            port = next(iter(server.sockets)).getsockname()[1]
            return game, f"ws://127.0.0.1:{port}"

        yield serve


class CuttableLink:
    """A TCP relay to a server; `cut` resets all its connections.

    While `refuse` is true, new connections are reset at once.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.url = ""
        self.refuse = False

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._relays, return_exceptions=True)
        await self._server.wait_closed()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        if self.refuse:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        ends = {writer, far_writer}
        self._writers |= ends
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
        self._writers -= ends
        for end in ends:
            with contextlib.suppress(OSError):
                await end.wait_closed()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture
async def cuttable() -> AsyncIterator[Callable[[str], Awaitable[CuttableLink]]]:
    """Return a coroutine function ``cuttable(url)`` -> a `CuttableLink` to the server at `url`."""
    async with contextlib.AsyncExitStack() as stack:

        async def relay(url: str) -> CuttableLink:
            host, port = url.removeprefix("ws://").split(":")
            link = CuttableLink(host, int(port))
            await link.open()
            stack.push_async_callback(link.close)
            return link

        yield relay


async def receive(connection: websockets.ClientConnection) -> Any:
    """Receive one message within five seconds and parse its JSON."""
    async with asyncio.timeout(5):
        return json.loads(await connection.recv())


async def last_place(
    watcher: websockets.ClientConnection, player: str, place: dict[str, Any]
) -> dict[str, Any]:
    """Return a player's final place, once no more positions arrive; `place` is the last known."""
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0.3):
                message = await receive(watcher)
            place = message.get("positions", {}).get(player, place)
    return place


async def until(condition: Callable[[], object], timeout: float = 5.0) -> None:
    """Poll until `condition` is true."""
    async with asyncio.timeout(timeout):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)
