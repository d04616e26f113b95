"""recv, iteration and recv_streaming."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.aio.conftest import MakePair, iterate, send_last, serialized
from tests.frames import close, text
from ws6455 import (
    ConcurrencyError,
    ConnectionClosedError,
    ConnectionClosedOK,
    Data,
    Frame,
    Opcode,
    State,
)


def binary(data: bytes, fin: bool = True) -> Frame:
    return Frame(Opcode.BINARY, data, fin)


def continuation(data: bytes, fin: bool) -> Frame:
    return Frame(Opcode.CONT, data, fin)


async def test_text_gives_str_and_binary_gives_bytes(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        peer.send(text("é"), binary(b"\xff"))
        assert [await connection.recv(), await connection.recv()] == ["é", b"\xff"]


async def test_decode_says_what_a_message_is_given_as(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        peer.send(text("é"), binary("é".encode()), text("é"), binary("é".encode()))
        assert await connection.recv(decode=True) == "é"
        assert await connection.recv(decode=True) == "é"
        assert await connection.recv(decode=False) == "é".encode()
        assert await connection.recv(decode=False) == "é".encode()


async def test_binary_that_is_no_utf8_cannot_be_decoded(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        peer.send(binary(b"\xff"), text("next"))
        with pytest.raises(UnicodeDecodeError):
            await connection.recv(decode=True)
        assert await connection.recv() == "next"


async def test_fragments_are_joined_with_control_frames_between_them(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        halves = "é".encode()
        peer.send(
            Frame(Opcode.TEXT, halves[:1], fin=False),
            Frame(Opcode.PING, b"between"),
            continuation(halves[1:], fin=False),
            continuation(b"", fin=True),
        )
        assert await connection.recv() == "é"
        assert await peer.valid_frame() == Frame(Opcode.PONG, b"between")


async def test_a_waiting_recv_takes_only_a_whole_message(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        receiving = asyncio.create_task(connection.recv())
        for byte in serialized(peer, text("one", fin=False), continuation(b" two", fin=True)):
            peer.send(bytes([byte]))
            await iterate(3)
        assert await receiving == "one two"


async def test_a17_iteration_ends_silently_and_tells_code_and_reason(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        await send_last(peer, text("a"), text("b"), close(1001, "bye"))
        assert [message async for message in connection] == ["a", "b"]
        assert (connection.close_code, connection.close_reason) == (1001, "bye")


async def test_iteration_raises_what_was_no_proper_close(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        await send_last(peer, text("a"), close(4000))
        messages = aiter(connection)
        assert await anext(messages) == "a"
        with pytest.raises(ConnectionClosedError, match="received 4000"):
            await anext(messages)


async def test_messages_can_be_received_after_the_connection_closed(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        await send_last(peer, text("a"), text("b"), close(1000))
        await connection.wait_closed()
        assert connection.state is State.CLOSED
        assert [await connection.recv(), await connection.recv()] == ["a", "b"]
        for _ in range(2):
            with pytest.raises(ConnectionClosedOK):
                await connection.recv()


async def test_a18_two_receivers_at_once_are_told_of_each_other(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        receiving = asyncio.create_task(connection.recv())
        await iterate(1)
        with pytest.raises(ConcurrencyError, match=r"call recv while .* already running recv$"):
            await connection.recv()
        with pytest.raises(ConcurrencyError, match=r"call recv_streaming .* running recv$"):
            await anext(connection.recv_streaming())
        peer.send(text("for the first"))
        assert await receiving == "for the first"


async def collect(fragments: AsyncIterator[Data]) -> list[Data]:
    return [fragment async for fragment in fragments]


async def test_streaming_gives_fragments_as_they_come(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        peer.send(binary(b"1", fin=False))
        stream = connection.recv_streaming()
        assert await anext(stream) == b"1"
        peer.send(continuation(b"2", fin=False), continuation(b"3", fin=True), text("whole"))
        assert await collect(stream) == [b"2", b"3"]
        assert await collect(connection.recv_streaming()) == ["whole"]


async def test_streaming_keeps_characters_whole(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        data = "é".encode()
        for _ in range(2):
            peer.send(Frame(Opcode.TEXT, data[:1], fin=False), continuation(data[1:], fin=True))
        peer.send(binary(data[:1], fin=False), continuation(data[1:], fin=True))
        assert await collect(connection.recv_streaming()) == ["", "é"]
        assert await collect(connection.recv_streaming(decode=False)) == [data[:1], data[1:]]
        assert await collect(connection.recv_streaming(decode=True)) == ["", "é"]


async def test_a_stream_given_up_within_a_message_lets_nothing_else_be_received(
    pair: MakePair,
) -> None:
    async with pair() as (connection, peer):
        peer.send(text("1", fin=False), continuation(b"2", fin=True), text("next"))
        stream = connection.recv_streaming()
        assert await anext(stream) == "1"
        with pytest.raises(ConcurrencyError, match="recv_streaming"):
            await connection.recv()
        await stream.aclose()
        with pytest.raises(ConcurrencyError, match="recv_streaming"):
            await connection.recv()


async def test_a_stream_left_at_its_last_fragment_holds_up_nobody(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        peer.send(text("1", fin=False), continuation(b"2", fin=True))
        stream = connection.recv_streaming()
        assert [await anext(stream), await anext(stream)] == ["1", "2"]
        receiving = asyncio.create_task(connection.recv())
        await iterate(1)
        await stream.aclose()
        # The other receiver is still protected.
        with pytest.raises(ConcurrencyError):
            await connection.recv()
        peer.send(text("next"))
        assert await receiving == "next"


async def test_a_stream_cut_by_the_end_of_the_connection_says_so(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        peer.send(text("1", fin=False))
        stream = connection.recv_streaming()
        assert await anext(stream) == "1"
        await peer.close()
        with pytest.raises(ConnectionClosedError):
            await anext(stream)
        with pytest.raises(ConnectionClosedError):
            await connection.recv()
