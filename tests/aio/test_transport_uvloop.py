"""On uvloop: what goes straight to the socket and what its transports hold stay in order."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.aio.conftest import Connection, connected, server_and_peer, until
from tests.conftest import uri_of
from tests.frames import close
from ws6455 import ServerConnection, connect, serve, unix_connect, unix_serve

OnUvloop = Callable[[Coroutine[Any, Any, None]], None]
OPTIONS: dict[str, Any] = {"max_size": None, "compression": None}
MIB = 1 << 20


@pytest.fixture
def on_uvloop() -> OnUvloop:
    """Give what runs a coroutine on uvloop."""

    def run(coroutine: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(coroutine)

    return run


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@contextlib.asynccontextmanager
async def ends(client_first: bool) -> AsyncIterator[tuple[Connection, Connection]]:
    async with connected(OPTIONS, **OPTIONS) as (client, server):
        yield (client, server) if client_first else (server, client)


@pytest.mark.parametrize("client_sends", [True, False])
def test_messages_of_all_sizes_stay_in_order(on_uvloop: OnUvloop, client_sends: bool) -> None:
    chance = random.Random(7)
    sizes = [chance.choice([1, 100, 20_000, 100_000, 3 * MIB]) for _ in range(60)]
    messages = [chance.randbytes(size) for size in sizes]

    async def exchange() -> None:
        async with ends(client_sends) as (one, other):

            async def send() -> None:
                for message in messages:
                    await one.send(message)

            sending = asyncio.create_task(send())
            await until(lambda: one._io.writing_paused)  # for want of room
            for message in messages:
                assert await other.recv() == message
            await sending
            await one.send("last")
            assert await other.recv() == "last"
            assert (
                one._io._fd == one._io._own_fd >= 0
            )  # small frames go straight to the socket again

    on_uvloop(exchange())


def test_a_close_frame_comes_behind_a_large_message(on_uvloop: OnUvloop) -> None:
    payload = random.Random(8).randbytes(8 * MIB)

    async def leave() -> None:
        async with server_and_peer(**OPTIONS) as (connection, peer):
            sending = asyncio.create_task(connection.send(payload))
            await until(lambda: connection._io.writing_paused)
            closing = asyncio.create_task(connection.close(1001))
            assert (await peer.valid_frame()).data == payload
            assert await peer.valid_frame() == close(1001)
            await sending
            peer.send(close(1001))
            await peer.close()
            await closing
            assert (
                connection._io._fd == connection._io._own_fd == -1
            )  # the number may be another's by now

    on_uvloop(leave())


def test_tls_goes_through_the_transport(
    on_uvloop: OnUvloop, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server_context, client_context = contexts

    async def talk() -> None:
        async with (
            serve(echo, "localhost", 0, ssl=server_context, **OPTIONS) as server,
            connect(uri_of(server, "wss"), ssl=client_context, **OPTIONS) as client,
        ):
            assert client._io._own_fd == -1
            for message in ("small", bytes(MIB), "small again"):
                await client.send(message)
                assert await client.recv() == message

    on_uvloop(talk())


def test_a_unix_socket(on_uvloop: OnUvloop, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")

    async def talk() -> None:
        async with unix_serve(echo, path, **OPTIONS), unix_connect(path, **OPTIONS) as client:
            assert client._io._own_fd >= 0
            for message in ("small", bytes(MIB), "small again"):
                await client.send(message)
                assert await client.recv() == message

    on_uvloop(talk())
