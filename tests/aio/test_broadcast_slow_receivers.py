"""Receivers that do not keep up with a broadcast: what each policy makes of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.aio.conftest import server_and_peer, until
from tests.aio.test_accept import accepted
from ws6455 import Close, ConnectionClosedError, Opcode, ServerConnection, broadcast
from ws6455.testing import RawPeer

CHUNK = bytes(1 << 16)


@contextlib.asynccontextmanager
async def behind(**options: Any) -> AsyncIterator[tuple[ServerConnection, RawPeer]]:
    """Give a connection whose peer reads nothing, with its buffer above the limit."""
    async with server_and_peer(compression=None, ping_interval=None, **options) as (
        connection,
        peer,
    ):
        fill(connection)
        yield connection, peer


def fill(connection: ServerConnection) -> None:
    while connection.buffered_amount <= 1 << 15:
        broadcast([connection], CHUNK)


async def read_up_to(peer: RawPeer, last: bytes) -> list[bytes]:
    """Read frames to the given one; return those that are not filling."""
    payloads = [b""]
    while payloads[-1] != last:
        frame = await peer.valid_frame()
        assert frame.opcode is Opcode.BINARY
        if frame.data != CHUNK:
            payloads.append(frame.data)
    return payloads[1:]


async def test_buffered_amount_is_what_the_network_has_not_taken() -> None:
    async with server_and_peer(compression=None) as (connection, peer):
        assert connection.buffered_amount == 0
        fill(connection)
        before = connection.buffered_amount
        broadcast([connection], b"12345")
        assert connection.buffered_amount == before + 7  # with its header
        await read_up_to(peer, b"12345")
        await until(lambda: connection.buffered_amount == 0)


async def test_a07_buffering_is_the_default() -> None:
    async with behind() as (connection, peer):
        for number in range(3):
            broadcast([connection], b"%d" % number)
        assert await read_up_to(peer, b"2") == [b"0", b"1", b"2"]


async def test_a07_a_slow_receiver_misses_what_is_dropped() -> None:
    async with behind() as (connection, peer):
        before = connection.buffered_amount
        for number in range(1000):
            broadcast([connection], b"%d" % number, slow="drop")
        assert connection.buffered_amount == before
        reading = asyncio.create_task(read_up_to(peer, b"last"))
        await until(lambda: connection.buffered_amount == 0)
        broadcast([connection], b"last", slow="drop")
        assert await reading == [b"last"]


async def test_a07_a_slow_receiver_gets_the_newest_of_what_is_coalesced() -> None:
    async with behind() as (connection, peer):
        before = connection.buffered_amount
        for number in range(1000):
            broadcast([connection], b"%d" % number, slow="coalesce")
        assert connection.buffered_amount == before
        assert await read_up_to(peer, b"999") == [b"999"]
        broadcast([connection], b"then", slow="coalesce")
        assert await read_up_to(peer, b"then") == [b"then"]


async def test_a07_a_slow_receiver_of_accept_gets_the_newest_as_well() -> None:
    async with accepted(compression=None, ping_interval=None) as (connection, peer):
        fill(connection)
        for number in range(1000):
            broadcast([connection], b"%d" % number, slow="coalesce")
        assert await read_up_to(peer, b"999") == [b"999"]


async def test_a07_a_slow_receiver_is_disconnected() -> None:
    async with behind(close_timeout=0.2) as (connection, _):
        broadcast([connection], b"x", slow="disconnect")
        with pytest.raises(ConnectionClosedError) as caught:
            await connection.recv()
        assert caught.value.sent == Close(1013, "too slow")


async def test_what_is_kept_is_forgotten_when_the_connection_closes() -> None:
    async with behind() as (connection, peer):
        broadcast([connection], b"kept", slow="coalesce")
        peer.reset()
        await connection.wait_closed()
        assert connection.buffered_amount == 0


@pytest.mark.parametrize("slow", ["drop", "coalesce", "disconnect"])
async def test_whoever_keeps_up_gets_everything(slow: Any) -> None:
    async with server_and_peer(compression=None) as (connection, peer):
        for number in range(1000):
            broadcast([connection], b"%d" % number, slow=slow)
        assert await read_up_to(peer, b"999") == [b"%d" % number for number in range(1000)]
