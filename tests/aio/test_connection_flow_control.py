"""Both directions are bounded: a slow application stops the peer, a slow peer stops send."""

import asyncio
import logging
import tracemalloc
from typing import Any

import pytest

from tests.aio.conftest import MakePair, connected, iterate, until, until_queued
from tests.frames import text
from ws6455 import (
    Close,
    ConnectionClosedError,
    Frame,
    Opcode,
    PayloadTooBig,
    TooManyFragments,
    connect,
    serve,
)
from ws6455.aio.streams import BUFFER_SIZE


async def test_the_queue_is_bounded_in_messages_and_goes_on_when_taken(pair: MakePair) -> None:
    async with pair(max_queue=(4, 2)) as (connection, peer):
        messages = connection.protocol.queue.messages
        for number in range(5):
            peer.send(text(str(number)))
            await until_queued(connection, number + 1)
        assert connection._reading_paused
        peer.send(*(text(str(number)) for number in range(5, 20)))
        await iterate(20)
        assert len(messages) == 5
        for number in range(2):
            assert await connection.recv() == str(number)
            assert connection._reading_paused
        assert await connection.recv() == "2"
        assert not connection._reading_paused
        for number in range(3, 20):
            assert await connection.recv() == str(number)


async def test_a_stream_that_is_not_taken_is_bounded(pair: MakePair) -> None:
    options: dict[str, Any] = {"max_size": None, "max_fragments": None, "close_timeout": 0.1}
    async with pair(**options) as (connection, peer):
        peer.send(text("0", fin=False))
        fragments = connection.recv_streaming()
        assert await anext(fragments) == "0"
        one_read = BUFFER_SIZE // 1000
        for _ in range(3 * one_read):
            peer.send(Frame(Opcode.CONT, b"x" * 1000, fin=False))
        await until(lambda: connection._reading_paused)
        assert len(connection.protocol.queue.messages) < one_read + 20
        await fragments.aclose()
        await connection.close()


async def test_a_fragmented_message_may_have_more_fragments_than_the_queue(
    pair: MakePair,
) -> None:
    async with pair(max_queue=2) as (connection, peer):
        peer.send(text("0", fin=False))
        for number in range(1, 20):
            peer.send(Frame(Opcode.CONT, b"%d" % (number % 10), fin=number == 19))
            await iterate(2)
        assert await connection.recv() == "01234567890123456789"


async def test_no_bound(pair: MakePair) -> None:
    async with pair(max_queue=None) as (connection, peer):
        for _ in range(50):
            peer.send(*[text("x" * 50_000)])
        await until(lambda: len(connection.protocol.queue.messages) == 50)
        assert not connection._reading_paused


async def test_send_waits_above_the_high_water_mark_and_goes_on(pair: MakePair) -> None:
    async with pair(write_limit=(1 << 16, 1 << 14), compression=None) as (connection, peer):
        sent = 0

        async def send() -> None:
            nonlocal sent
            while sent < 2000:
                await connection.send(bytes(10_000))
                sent += 1

        sending = asyncio.create_task(send())
        await until(lambda: connection._io.writing_paused)
        stopped_at = -1
        while sent != stopped_at:  # the system's buffers on the way may still grow
            stopped_at = sent
            await asyncio.sleep(0.1)
        assert not sending.done()
        assert sent < 2000
        assert connection._io.unsent_bytes() < (1 << 16) + 20_000
        for _ in range(2000):
            assert len((await peer.valid_frame()).data) == 10_000
        await sending


@pytest.mark.parametrize("options", [{}, {"compression": None}])
async def test_a22_a_message_above_one_mebibyte_names_the_limit(options: dict[str, Any]) -> None:
    async with connected(options, **options) as (client, server):
        await client.send(bytes(1 << 20))
        assert await server.recv() == bytes(1 << 20)
        await client.send(bytes((1 << 20) + 1))
        with pytest.raises(ConnectionClosedError) as caught:
            await server.recv()
        assert isinstance(caught.value.__cause__, PayloadTooBig)
        assert caught.value.sent is not None
        assert caught.value.sent.code == 1009
        assert "exceeds the limit of 1048576 bytes: see max_size" in caught.value.sent.reason
        await client.wait_closed()
        assert client.close_code == 1009


async def test_a_message_may_have_4096_fragments(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        middle = [Frame(Opcode.CONT, b"", fin=False)] * 4094
        peer.send(text("a", fin=False), *middle, Frame(Opcode.CONT, b"b"))
        assert await connection.recv() == "ab"
        peer.send(text("a", fin=False), *middle, *middle[:2])
        receiving = asyncio.create_task(connection.recv())
        answer = Close.parse((await peer.valid_frame()).data)
        assert answer == Close(
            1009, "message exceeds the limit of 4096 fragments: see max_fragments"
        )
        await peer.close()
        with pytest.raises(ConnectionClosedError) as caught:
            await receiving
        assert isinstance(caught.value.__cause__, TooManyFragments)


async def test_small_fragments_that_wait_take_little_more_than_what_they_hold(
    pair: MakePair,
) -> None:
    async with pair(max_fragments=None, compression=None) as (connection, peer):
        receiving = asyncio.create_task(connection.recv())
        parts = [b"%05d" % number for number in range(20_000)]
        peer.send(Frame(Opcode.BINARY, b"first", fin=False))
        peer.send(*(Frame(Opcode.CONT, part, fin=False) for part in parts))
        peer.send(Frame(Opcode.PING, b"all"))
        assert await peer.valid_frame() == Frame(Opcode.PONG, b"all")
        assert not connection.protocol.queue.messages
        one_read = BUFFER_SIZE // 7
        assert len(connection.protocol.queue.fragments) < min(one_read, len(parts))
        peer.send(Frame(Opcode.CONT, b"last"))
        assert await receiving == b"first" + b"".join(parts) + b"last"
        # The next message begins afresh.
        peer.send(text("a", fin=False), Frame(Opcode.CONT, b"b"))
        assert await connection.recv() == "ab"


async def test_a_limit_for_fragments(pair: MakePair) -> None:
    async with pair(max_size=(10, 4)) as (connection, peer):
        peer.send(text("1234", fin=False), Frame(Opcode.CONT, b"5678"))
        assert await connection.recv() == "12345678"
        peer.send(text("12345"))
        receiving = asyncio.create_task(connection.recv())
        assert Close.parse((await peer.valid_frame()).data).code == 1009
        await peer.close()
        with pytest.raises(ConnectionClosedError, match="limit of 4 bytes"):
            await receiving


async def test_a_bomb_is_stopped_at_the_limit() -> None:
    async with connected({"max_size": None}, max_size=1 << 20) as (client, server):
        bomb = bytes(1 << 26)
        tracemalloc.start()
        sending = asyncio.create_task(client.send(bomb))
        with pytest.raises(ConnectionClosedError, match="1009"):
            await server.recv()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 23
        await sending


async def test_a_slow_receiver_pauses_a_sender_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    received = []
    go_on = asyncio.Event()

    async def slow(connection: Any) -> None:
        await go_on.wait()
        async for message in connection:
            received.append(len(message))

    async with serve(slow, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/", compression=None) as client:

            async def send() -> None:
                for _ in range(300):
                    await client.send(bytes(100_000))

            sending = asyncio.create_task(send())
            await until(lambda: client._io.writing_paused)
            await asyncio.sleep(0.02)
            assert not sending.done()
            go_on.set()
            await sending
        await until(lambda: len(received) == 300)
    assert caplog.records == []
