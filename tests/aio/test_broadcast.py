"""broadcast: to many at once, whatever they have negotiated and however slow they are."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets.asyncio.client
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory as TheirFactory,
)

from tests.aio.conftest import client_and_peer, connected, iterate, server_and_peer
from tests.conftest import uri_of
from tests.frames import text
from ws6455 import (
    ClientConnection,
    ClientPerMessageDeflateFactory,
    Frame,
    Server,
    ServerConnection,
    broadcast,
    connect,
    serve,
)
from ws6455.testing import RawPeer


async def stay(connection: ServerConnection) -> None:
    await connection.wait_closed()


@contextlib.asynccontextmanager
async def clients_of(
    server: Server, *options: dict[str, Any]
) -> AsyncIterator[list[ClientConnection]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(connect(uri_of(server), **o)) for o in options]


def deflate(**parameters: Any) -> dict[str, Any]:
    return {"extensions": [ClientPerMessageDeflateFactory(**parameters)]}


@pytest.mark.parametrize(
    ("message", "override", "received"),
    [
        ("é" * 100, None, "é" * 100),
        (b"\xff" * 100, None, b"\xff" * 100),
        (memoryview(b"ab"), None, b"ab"),
        ("", None, ""),
        ("é", False, "é".encode()),
        ("é".encode(), True, "é"),
    ],
)
async def test_everybody_gets_it_whatever_the_compression(
    message: Any, override: bool | None, received: str | bytes
) -> None:
    options: list[dict[str, Any]] = [
        {},
        {"compression": None},
        deflate(server_max_window_bits=9),
        deflate(server_no_context_takeover=True),
        deflate(client_max_window_bits=None),
    ]
    async with serve(stay, "localhost", 0) as server, clients_of(server, *options) as clients:
        connections = server.connections
        assert len(connections) == len(options)
        broadcast(connections, message, text=override)
        broadcast(connections, message, text=override)
        # A message of one's own after a shared one, with the context as it then is.
        for connection in connections:
            await connection.send("own " * 50)
        broadcast(connections, "shared again")
        for client in clients:
            assert [await client.recv() for _ in range(4)] == [
                received,
                received,
                "own " * 50,
                "shared again",
            ]


@pytest.mark.parametrize("takeover", [True, False])
async def test_clients_of_another_library_can_read_it(takeover: bool) -> None:
    factory = TheirFactory(server_no_context_takeover=not takeover, client_max_window_bits=True)
    async with (
        serve(stay, "localhost", 0) as server,
        websockets.asyncio.client.connect(uri_of(server)) as one,
        websockets.asyncio.client.connect(uri_of(server), extensions=[factory]) as other,
    ):
        for number in range(3):
            broadcast(server.connections, f"shared {number} " * 30)
            for connection in server.connections:
                await connection.send(f"own {number} " * 30)
        for client in (one, other):
            for number in range(3):
                assert await client.recv() == f"shared {number} " * 30
                assert await client.recv() == f"own {number} " * 30


async def test_clients_broadcast_with_a_mask_of_their_own() -> None:
    async with (
        client_and_peer(compression=None) as (one, peer),
        client_and_peer(compression=None) as (other, other_peer),
    ):
        broadcast([one, other], "masked")
        assert await peer.valid_frame() == text("masked")
        assert await other_peer.valid_frame() == text("masked")


async def test_who_is_not_open_is_skipped() -> None:
    async with connected() as (client, server):
        await client.close()
        await server.wait_closed()
        broadcast([server, client], "x", raise_exceptions=True)


@pytest.mark.parametrize("message", [1, None, ["a"], {"a": "b"}])
async def test_other_types_are_refused(message: Any) -> None:
    async with connected() as (_, server):
        with pytest.raises(TypeError, match="str or bytes-like"):
            broadcast([server], message)


async def test_a_connection_within_a_fragmented_message_is_skipped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    more = asyncio.Event()

    async def slow() -> AsyncIterator[str]:
        yield "a"
        await more.wait()

    async with (
        server_and_peer(compression=None) as (busy, busy_peer),
        server_and_peer(compression=None) as (free, free_peer),
    ):
        sending = asyncio.create_task(busy.send(slow()))
        await busy_peer.valid_frame()
        broadcast([busy, free], "logged")
        [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert "skipped broadcast" in record.getMessage()
        with pytest.raises(ExceptionGroup, match="skipped broadcast") as caught:
            broadcast([busy, free], "raised", raise_exceptions=True)
        assert len(caught.value.exceptions) == 1
        assert [await free_peer.valid_frame(), await free_peer.valid_frame()] == [
            text("logged"),
            text("raised"),
        ]
        more.set()
        await sending
        broadcast([busy], "after", raise_exceptions=True)
        assert [(await busy_peer.valid_frame()).data for _ in range(2)] == [b"", b"after"]


async def test_it_keeps_the_order_with_collected_replies() -> None:
    async with server_and_peer(compression=None) as (connection, peer):
        peer.send(text("1"), text("2"))
        assert await connection.recv() == "1"
        await connection.send("reply")
        broadcast([connection], "shared")
        assert await frames(peer, 2) == [text("reply"), text("shared")]


async def frames(peer: RawPeer, count: int) -> list[Frame]:
    return [await peer.valid_frame() for _ in range(count)]


async def test_a_slow_receiver_delays_nobody() -> None:
    async with (
        server_and_peer(compression=None) as (slow, _),
        server_and_peer(compression=None) as (quick, quick_peer),
    ):
        reading = asyncio.create_task(frames(quick_peer, 100))
        for _ in range(100):
            broadcast([slow, quick], bytes(100_000))
            await iterate(1)
        assert slow._io.writing_paused
        assert {len(frame.data) for frame in await reading} == {100_000}
        assert slow._io.unsent_bytes() > 1 << 20
        slow.go_away()
