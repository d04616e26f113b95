"""Keepalive: a dead peer is noticed, a slow one is not taken for dead."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from tests.aio.conftest import Connection, MakePair, serialized, until, until_queued
from tests.frames import text
from ws6455 import Close, ConnectionClosedError, Frame, Opcode, State
from ws6455.testing import RawPeer


async def test_a06_a_peer_that_swallows_everything_ends_recv(pair: MakePair) -> None:
    async with pair(ping_interval=0.05, ping_timeout=0.1, close_timeout=0.1) as (connection, peer):
        started = time.monotonic()
        with pytest.raises(ConnectionClosedError) as caught:
            await connection.recv()
        assert 0.15 <= time.monotonic() - started < 1
        assert caught.value.sent == Close(1011, "keepalive ping timeout")
        assert caught.value.rcvd is None
        cause = caught.value.__cause__
        assert isinstance(cause, TimeoutError)
        assert "no byte received in the 0.1 s since a ping (ping_timeout=0.1 s)" in str(cause)
        assert str(cause) in str(caught.value)
        frames = await peer.frames_to_close()
        assert {frame.opcode for frame in frames[:-1]} == {Opcode.PING}
        assert Close.parse(frames[-1].data) == Close(1011, "keepalive ping timeout")
        assert await peer.bytes_to_end() == b""


async def test_a_dead_peer_that_does_not_take_what_is_sent_is_cut_off(pair: MakePair) -> None:
    async with pair(ping_interval=0.05, ping_timeout=0.1, close_timeout=0.1) as (connection, _):
        with pytest.raises(ConnectionClosedError, match="bytes that the peer has not taken wait"):
            await connection.send(b"x" * (1 << 24))


async def test_pings_are_answered_by_pongs_and_the_connection_stays(pair: MakePair) -> None:
    async with pair(ping_interval=0.02, ping_timeout=0.04) as (connection, peer):
        for _ in range(6):
            frame = await peer.valid_frame()
            assert frame.opcode is Opcode.PING
            peer.send(Frame(Opcode.PONG, frame.data))
        await until(lambda: not connection._keepalive.pings)
        assert connection.state is State.OPEN
        assert connection.latency > 0


async def test_a05_any_byte_counts_as_life(pair: MakePair) -> None:
    async with pair(ping_interval=0.05, ping_timeout=0.1, close_timeout=0.1) as (connection, peer):
        receiving = asyncio.create_task(connection.recv())
        # Not one pong; a single frame, byte by byte, for some seven times the timeout.
        for byte in serialized(peer, text("slow but alive")):
            peer.send(bytes([byte]))
            await asyncio.sleep(0.04)
        assert await receiving == "slow but alive"
        assert connection.state is State.OPEN


async def test_a05_pings_go_between_our_own_fragments(pair: MakePair) -> None:
    pinged = asyncio.Event()

    async def fragments() -> AsyncIterator[str]:
        yield "first"
        await pinged.wait()
        yield "second"

    async with pair(ping_interval=0.02, compression=None) as (connection, peer):
        sending = asyncio.create_task(connection.send(fragments()))
        assert await peer.valid_frame() == text("first", fin=False)
        assert (await peer.valid_frame()).opcode is Opcode.PING
        pinged.set()
        await sending


async def test_a_reading_that_is_paused_proves_nothing(pair: MakePair) -> None:
    async with pair(ping_interval=0.02, ping_timeout=0.04, close_timeout=0.1, max_queue=1) as (
        connection,
        peer,
    ):
        for number in range(3):
            peer.send(text(str(number)))
            await until_queued(connection, min(number, 1) + 1)
        await until(lambda: connection._reading_paused)
        await asyncio.sleep(0.2)  # five times the timeout, in which no byte can be read
        assert connection.state is State.OPEN
        assert [await connection.recv() for _ in range(3)] == ["0", "1", "2"]


def shrink_buffers(connection: Connection, peer: RawPeer) -> None:
    """Make the kernel's buffers small, which else hide for long that a peer takes something."""
    assert connection.transport is not None
    for transport, option in (
        (connection.transport, socket.SO_SNDBUF),
        (peer.writer.transport, socket.SO_RCVBUF),
    ):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, 1 << 15)


async def read_slowly(peer: RawPeer, seconds: float) -> None:
    """Take some bytes now and then, so that the buffers on the way never run empty."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await peer.reader.read(1 << 14)
        await asyncio.sleep(0.005)


async def test_a05_a_peer_that_takes_a_large_message_slowly_is_alive(pair: MakePair) -> None:
    async with pair(ping_interval=0.05, ping_timeout=0.1, close_timeout=0.1, compression=None) as (
        connection,
        peer,
    ):
        shrink_buffers(connection, peer)
        sending = asyncio.create_task(connection.send(b"x" * (1 << 25)))
        await read_slowly(peer, 0.8)
        assert not sending.done()
        assert connection.state is State.OPEN
        peer.reset()
        with pytest.raises(ConnectionClosedError):
            await sending


async def test_a_peer_that_takes_many_messages_slowly_is_alive(pair: MakePair) -> None:
    async def send() -> None:
        while True:
            await connection.send(b"x" * (1 << 16))

    async with pair(ping_interval=0.05, ping_timeout=0.1, close_timeout=0.1, compression=None) as (
        connection,
        peer,
    ):
        shrink_buffers(connection, peer)
        sending = asyncio.create_task(send())
        await read_slowly(peer, 0.8)
        assert connection.state is State.OPEN
        peer.reset()
        with pytest.raises(ConnectionClosedError):
            await sending


async def test_no_interval_no_pings(pair: MakePair) -> None:
    async with pair(ping_interval=None, ping_timeout=0.01, compression=None) as (connection, peer):
        await asyncio.sleep(0.1)
        await connection.send("the first frame")
        assert await peer.valid_frame() == text("the first frame")


async def test_no_timeout_no_end(pair: MakePair) -> None:
    async with pair(ping_interval=0.01, ping_timeout=None) as (connection, peer):
        for _ in range(10):
            assert (await peer.valid_frame()).opcode is Opcode.PING
        assert connection.state is State.OPEN
        assert len(connection._keepalive.pings) == 1
