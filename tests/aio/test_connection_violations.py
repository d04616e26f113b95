"""A violation fails the connection in order: after the replies to what came before it."""

import asyncio
import time

import pytest

from tests.aio.conftest import MakePair, iterate, until
from tests.frames import close, text
from ws6455 import (
    Close,
    ConnectionClosedError,
    Frame,
    Opcode,
    State,
)

RESERVED_OPCODE = b"\x83\x80\x00\x00\x00\x00"


@pytest.mark.parametrize("together", [True, False])
async def test_a_slow_application_has_the_time_to_reply(pair: MakePair, together: bool) -> None:
    async with pair(compression=None) as (connection, peer):
        peer.send(text("1"), *[RESERVED_OPCODE] * together)
        assert await connection.recv() == "1"
        if not together:
            peer.send(RESERVED_OPCODE)
        await until(lambda: connection.protocol.violation is not None)
        await iterate(10)
        assert connection.state is State.OPEN
        await connection.send("reply")
        waiting = asyncio.create_task(connection.recv())
        assert await peer.valid_frame() == text("reply")
        assert Close.parse((await peer.valid_frame()).data).code == 1002
        await peer.close()
        with pytest.raises(ConnectionClosedError):
            await waiting


async def test_without_messages_before_it_a_violation_fails_at_once(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        peer.send(RESERVED_OPCODE)
        assert Close.parse((await peer.valid_frame()).data).code == 1002
        await peer.close()
        await connection.wait_closed()


async def test_an_application_that_never_comes_back_does_not_keep_the_connection(
    pair: MakePair,
) -> None:
    async with pair(close_timeout=0.1) as (connection, peer):
        peer.send(text("1"), text("2"), RESERVED_OPCODE)
        assert await connection.recv() == "1"
        started = time.monotonic()
        assert Close.parse((await peer.valid_frame()).data).code == 1002
        # The peer does not close TCP either.
        await connection.wait_closed()
        assert 0.15 <= time.monotonic() - started < 1
        # What came before the violation can still be taken.
        assert await connection.recv() == "2"
        with pytest.raises(ConnectionClosedError):
            await connection.recv()
        await peer.close()


async def test_a_full_queue_does_not_hide_that_the_peer_has_closed(pair: MakePair) -> None:
    async with pair(close_timeout=1, max_queue=1) as (connection, peer):
        peer.send(*[text("never taken")] * 3, RESERVED_OPCODE)
        await until(lambda: connection._reading_paused)
        assert Close.parse((await peer.valid_frame()).data).code == 1002
        await peer.close()
        started = time.monotonic()
        await connection.wait_closed()
        assert time.monotonic() - started < 0.5


async def test_a_handler_that_ends_instead_of_receiving_fails_the_connection(
    pair: MakePair,
) -> None:
    async with pair() as (connection, peer):
        peer.send(text("1"), text("2"), RESERVED_OPCODE)
        assert await connection.recv() == "1"
        closing = asyncio.create_task(connection.close())
        assert Close.parse((await peer.valid_frame()).data).code == 1002
        await peer.close()
        await closing


async def test_a_peer_that_closed_its_sending_side_still_gets_replies(pair: MakePair) -> None:
    async with pair(compression=None) as (connection, peer):
        peer.send(text("1"), RESERVED_OPCODE)
        peer.end_sending()
        await until(lambda: connection.protocol.eof_received)
        assert await connection.recv() == "1"
        await connection.send("reply")
        with pytest.raises(ConnectionClosedError, match="sent 1002"):
            await connection.recv()
        frames = await peer.frames_to_close()
        assert [frame.opcode for frame in frames] == [Opcode.TEXT, Opcode.CLOSE]
        assert await peer.bytes_to_end() == b""


async def test_a_close_frame_with_a_violation_in_it_is_one(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        peer.send(Frame(Opcode.CLOSE, b"\x03"))
        assert Close.parse((await peer.valid_frame()).data).code == 1002
        await peer.close()
        await connection.wait_closed()
        assert connection.close_code == 1006


async def test_nothing_is_read_after_a_close_frame(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        peer.send(close(1000), text("late"), RESERVED_OPCODE)
        assert await peer.valid_frame() == close(1000)
        await peer.close()
        assert [message async for message in connection] == []
        assert connection.close_code == 1000
