"""send: types, fragments, order, and what happens when it cannot be finished."""

import array
import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from tests.aio.conftest import (
    Connection,
    MakePair,
    client_and_peer,
    iterate,
    raw_client,
    send_last,
    serving_one,
    until,
)
from tests.frames import close, text
from ws6455 import (
    Close,
    ConnectionClosed,
    ConnectionClosedError,
    Frame,
    Opcode,
    ServerPerMessageDeflateFactory,
    Side,
    broadcast,
)

OFFER = {"Sec-WebSocket-Extensions": "permessage-deflate"}

MakeEnds = Callable[..., AbstractAsyncContextManager[tuple[Connection, Connection]]]


@pytest.mark.parametrize(
    ("message", "override", "received"),
    [
        ("é", None, "é"),
        ("", None, ""),
        (b"\xff", None, b"\xff"),
        (bytearray(b"\xff"), None, b"\xff"),
        (memoryview(b"0123")[1:3], None, b"12"),
        (memoryview(b"0123")[::2], None, b"02"),
        (memoryview(array.array("H", [1, 2])), None, array.array("H", [1, 2]).tobytes()),
        (memoryview(array.array("d", [1.5])), None, array.array("d", [1.5]).tobytes()),
        ("é", False, "é".encode()),
        ("é".encode(), True, "é"),
        (["a", "b"], None, "ab"),
        ((b"a", bytearray(b"b"), memoryview(b"c")), None, b"abc"),
        (["a", "b"], False, b"ab"),
        ([b"a", b"b"], True, "ab"),
        (["only"], None, "only"),
    ],
)
async def test_what_is_sent_is_received(
    ends: MakeEnds, message: Any, override: bool | None, received: str | bytes
) -> None:
    async with ends() as (sender, receiver):
        await sender.send(message, text=override)
        assert await receiver.recv() == received


@pytest.mark.parametrize("message", [1, None, 1.5, object(), {"a": "b"}, [1], [{"a": "b"}]])
async def test_what_is_no_message_is_refused_and_harms_nothing(
    ends: MakeEnds, message: Any
) -> None:
    async with ends() as (sender, receiver):
        with pytest.raises(TypeError, match="must be a string"):
            await sender.send(message)
        await sender.send("still open")
        assert await receiver.recv() == "still open"


async def test_an_empty_iterable_sends_nothing(pair: MakePair) -> None:
    async with pair(compression=None) as (connection, peer):
        await connection.send([])
        await connection.send("next")
        assert await peer.valid_frame() == text("next")


async def test_a_string_that_cannot_be_encoded_sends_nothing(pair: MakePair) -> None:
    async with pair(compression=None) as (connection, peer):
        with pytest.raises(UnicodeEncodeError):
            await connection.send("\ud800")
        await connection.send("next")
        assert await peer.valid_frame() == text("next")


async def test_an_iterable_is_sent_fragment_by_fragment(pair: MakePair) -> None:
    async def letters() -> AsyncIterator[str]:
        for letter in "ab":
            yield letter

    async with pair(compression=None) as (connection, peer):
        for message in (["a", "b"], iter("ab"), letters()):
            await connection.send(message)
            assert [await peer.valid_frame() for _ in range(3)] == [
                text("a", fin=False),
                Frame(Opcode.CONT, b"b", fin=False),
                Frame(Opcode.CONT, b"", fin=True),
            ]


async def test_each_fragment_leaves_as_soon_as_it_is_there(pair: MakePair) -> None:
    more = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"now"
        await more.wait()
        yield b"later"

    async with pair(compression=None) as (connection, peer):
        sending = asyncio.create_task(connection.send(slow()))
        assert (await peer.valid_frame()).data == b"now"
        other = asyncio.create_task(connection.send("behind"))
        await connection.pong(b"between")
        assert (await peer.valid_frame()).opcode is Opcode.PONG
        assert not other.done()
        more.set()
        await asyncio.gather(sending, other)
        assert [(await peer.valid_frame()).data for _ in range(3)] == [b"later", b"", b"behind"]


async def test_fragments_of_two_kinds_fail_the_connection(pair: MakePair) -> None:
    async with pair(compression=None) as (connection, peer):
        with pytest.raises(TypeError, match="same kind"):
            await connection.send(["a", b"b"])
        assert await peer.valid_frame() == text("a", fin=False)
        assert (await peer.answer_close()).code == 1011
        await peer.close()
        with pytest.raises(ConnectionClosedError) as caught:
            await connection.recv()
        assert isinstance(caught.value.__cause__, TypeError)


async def test_an_iterable_that_raises_fails_the_connection(pair: MakePair) -> None:
    def broken() -> Iterator[str]:
        yield "a"
        raise LookupError("no more")

    async with pair() as (connection, peer):
        with pytest.raises(LookupError):
            await connection.send(broken())
        assert (await peer.answer_close()).code == 1011
        await peer.close()


async def test_an_iterable_that_raises_at_once_harms_nothing(pair: MakePair) -> None:
    def broken() -> Iterator[str]:
        raise LookupError("none")
        yield "never"

    async with pair(compression=None) as (connection, peer):
        with pytest.raises(LookupError):
            await connection.send(broken())
        await connection.send("next")
        assert await peer.valid_frame() == text("next")


async def test_closing_within_a_fragmented_message_fails_the_connection(pair: MakePair) -> None:
    more = asyncio.Event()

    async def slow() -> AsyncIterator[str]:
        yield "a"
        await more.wait()
        yield "b"

    async with pair() as (connection, peer):
        sending = asyncio.create_task(connection.send(slow()))
        await peer.valid_frame()
        closing = asyncio.create_task(connection.close())
        assert await peer.answer_close() == Close(1011, "close during fragmented message")
        await peer.close()
        await closing
        more.set()
        with pytest.raises(ConnectionClosedError):
            await sending


async def test_who_waits_behind_a_fragmented_message_learns_of_the_end(pair: MakePair) -> None:
    more = asyncio.Event()

    async def stuck() -> AsyncIterator[str]:
        yield "a"
        await more.wait()

    async with pair() as (connection, peer):
        sending = asyncio.create_task(connection.send(stuck()))
        await peer.valid_frame()
        waiting = asyncio.create_task(connection.send("behind"))
        await iterate(1)
        await peer.close()
        with pytest.raises(ConnectionClosedError):
            await waiting
        assert not sending.done()
        more.set()
        with pytest.raises(ConnectionClosedError):
            await sending


async def test_replies_are_collected_and_leave_when_the_application_waits(
    pair: MakePair,
) -> None:
    async with pair(compression=None) as (connection, peer):
        peer.send(*(text(str(number)) for number in range(3)))
        await until(lambda: len(connection.protocol.queue.messages) == 3)
        for number in range(3):
            assert await connection.recv() == str(number)
            await connection.send(f"reply {number}")
        waiting = asyncio.create_task(connection.recv())
        replies = [(await peer.valid_frame()).data for _ in range(3)]
        assert replies == [b"reply 0", b"reply 1", b"reply 2"]
        peer.send(text("next"))
        assert await waiting == "next"


async def test_a_collected_reply_leaves_when_the_application_is_busy_elsewhere(
    pair: MakePair,
) -> None:
    async with pair(compression=None) as (connection, peer):
        peer.send(text("1"), text("2"))
        assert await connection.recv() == "1"
        await connection.send("reply")
        # Nothing is received or sent any more; the loop goes round.
        assert await peer.valid_frame() == text("reply")


async def test_collected_replies_go_out_before_a_ping_and_a_close(pair: MakePair) -> None:
    async with pair(compression=None) as (connection, peer):
        peer.send(text("1"), text("2"))
        assert await connection.recv() == "1"
        await connection.send("reply")
        await connection.ping(b"ping")
        await connection.send("more")
        closing = asyncio.create_task(connection.close())
        opcodes = [(await peer.valid_frame()).opcode for _ in range(4)]
        assert opcodes == [Opcode.TEXT, Opcode.PING, Opcode.TEXT, Opcode.CLOSE]
        peer.send(close(1000))
        await peer.close()
        await closing


async def test_a08_a_loop_that_only_sends_lets_others_run(ends: MakeEnds) -> None:
    async with ends() as (sender, receiver):
        ran = asyncio.Event()
        asyncio.get_running_loop().call_soon(ran.set)
        sent = 0
        while not ran.is_set():
            await sender.send("x")
            sent += 1
            assert sent < 1000
        for _ in range(sent):
            assert await receiver.recv() == "x"


async def test_a_client_masks_every_frame_with_a_fresh_key() -> None:
    async with client_and_peer(compression=None) as (connection, peer):
        for _ in range(50):
            await connection.send(bytes(4))
        keys = set()
        for _ in range(50):
            data = await peer.exact_bytes(10)
            assert data[:2] == b"\x82\x84"
            assert data[2:6] == data[6:]  # zeros, masked, are the key
            keys.add(data[2:6])
        assert len(keys) == 50


async def test_many_fragments_let_others_run(ends: MakeEnds) -> None:
    async with ends() as (sender, receiver):
        ran = asyncio.Event()
        asyncio.get_running_loop().call_soon(ran.set)
        ran_within: list[bool] = []

        def fragments() -> Iterator[bytes]:
            for _ in range(200):
                ran_within.append(ran.is_set())
                yield b"x"

        await sender.send(fragments())
        assert ran_within[-1]
        assert await receiver.recv() == b"x" * 200


async def test_sending_on_a_closed_connection_tells_how_it_closed(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        await send_last(peer, close(4001, "enough"))
        for call in (connection.send("x"), connection.ping(), connection.pong()):
            with pytest.raises(ConnectionClosed, match=r"received 4001 .* enough; then sent 4001"):
                await call


async def test_sending_while_the_connection_closes_waits_for_the_end(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        closing = asyncio.create_task(connection.close(1000))
        await iterate(1)
        sending = asyncio.create_task(connection.send("too late"))
        await peer.answer_close()
        assert not sending.done()
        await peer.close()
        with pytest.raises(ConnectionClosed):
            await sending
        await closing


async def test_sending_to_a_peer_that_has_vanished_makes_no_noise(
    pair: MakePair, caplog: pytest.LogCaptureFixture
) -> None:
    async def send() -> None:
        while True:
            await connection.send(b"x" * 1000)

    caplog.set_level(logging.WARNING)
    async with pair() as (connection, peer):
        peer.reset()
        await iterate(2)
        with pytest.raises(ConnectionClosedError):
            await send()
        assert caplog.records == []


@pytest.mark.parametrize(
    ("compress", "compressed"), [(None, True), (True, True), (False, False)], ids=str
)
@pytest.mark.parametrize("fragments", [1, 3])
async def test_a10_compression_is_chosen_for_each_message(
    compress: bool | None, compressed: bool, fragments: int
) -> None:
    async with serving_one() as (server, first), raw_client(server, OFFER) as peer:
        connection = await first
        payload = "abc" * 100
        parts = [payload] * fragments
        for _ in range(2):  # whatever came before
            await connection.send(parts if fragments > 1 else payload, compress=compress)
            frames = [await peer.valid_frame()]
            while not frames[-1].fin:
                frames.append(await peer.valid_frame())
            assert [frame.rsv1 for frame in frames] == [compressed] + [False] * (len(frames) - 1)
            if not compressed:
                assert b"".join(frame.data for frame in frames) == (payload * fragments).encode()


async def test_a10_messages_of_both_kinds_come_whole(ends: MakeEnds) -> None:
    async with ends() as (sender, receiver):
        for number in range(6):
            await sender.send(f"message {number} " * 20, compress=[True, False, None][number % 3])
        for number in range(6):
            assert await receiver.recv() == f"message {number} " * 20


async def test_a10_without_compression_negotiated_nothing_is_compressed(pair: MakePair) -> None:
    async with pair(compression=None) as (connection, peer):
        await connection.send("abc" * 100, compress=True)
        frame = await peer.valid_frame()
        assert (frame.rsv1, frame.data) == (False, b"abc" * 100)


@pytest.mark.parametrize(
    ("compress", "compressed"),
    [(None, [100, 101]), (True, [0, 99, 100, 101]), (False, [])],
    ids=str,
)
async def test_a09_a_threshold_leaves_short_messages_as_they_are(
    compress: bool | None, compressed: list[int]
) -> None:
    extensions = [ServerPerMessageDeflateFactory(threshold=100)]
    async with (
        serving_one(extensions=extensions) as (server, first),
        raw_client(server, OFFER) as peer,
    ):
        connection = await first
        for size in (0, 99, 100, 101):
            await connection.send("a" * size, compress=compress)
            frame = await peer.valid_frame()
            assert frame.rsv1 is (size in compressed)
        if compress is None:
            broadcast([connection], "a" * 99)
            broadcast([connection], "a" * 100)
            assert [(await peer.valid_frame()).rsv1 for _ in range(2)] == [False, True]


async def test_nothing_leaves_behind_the_back_of_a_transport_that_was_aborted(
    pair: MakePair,
) -> None:
    async with pair() as (connection, peer):
        assert connection.transport is not None
        connection.transport.abort()
        await connection.send("lost")
        await connection.close()
        assert await peer.frames_to_close() == []
        assert connection.close_code == 1006


async def test_what_a_program_writes_to_the_transport_stays_in_order(pair: MakePair) -> None:
    async with pair(compression=None) as (connection, peer):
        assert connection.transport is not None
        mask = connection.protocol.side is Side.CLIENT
        large = Frame(Opcode.BINARY, bytes(1 << 20)).serialize(mask=mask)
        connection.transport.write(large)  # more than the socket takes at once
        await connection.send("behind it")
        assert len((await peer.valid_frame()).data) == 1 << 20
        assert (await peer.valid_frame()).data == b"behind it"
