"""Every call can be cancelled wherever it waits: nothing is lost, doubled or half sent.

Each call is cancelled after 0, 1, 2, ... rounds of the event loop until it is through before that.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from tests.aio.conftest import MakePair, connected, iterate, serialized, until
from tests.conftest import uri_of
from tests.frames import close, text
from ws6455 import (
    ConnectionClosed,
    ConnectionClosedError,
    Frame,
    Opcode,
    ServerConnection,
    State,
    connect,
    serve,
)

ROUNDS = range(12)


async def cancel_after(rounds: int, call: Coroutine[Any, Any, Any]) -> Any:
    """Run `call` for some rounds of the loop and cancel it; None if that came in time."""
    task = asyncio.ensure_future(call)
    await iterate(rounds)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        return await task


async def test_a19_a_cancelled_recv_loses_and_doubles_nothing(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        received, cancelled = [], 0
        for rounds in ROUNDS:
            # In two pieces, so that a message is also half there when the call is cancelled.
            data = serialized(peer, text(str(rounds), fin=False), Frame(Opcode.CONT, b"!"))
            receiving = asyncio.ensure_future(cancel_after(rounds, connection.recv()))
            peer.send(data[:5])
            await iterate(2)
            peer.send(data[5:])
            message = await receiving
            received += [] if message is None else [message]
            cancelled += message is None
        while len(received) < len(ROUNDS):
            received.append(await connection.recv())
        assert received == [f"{rounds}!" for rounds in ROUNDS]
        assert 0 < cancelled < len(ROUNDS)


async def test_a_timeout_around_recv_loses_nothing(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        received = []
        for number in range(20):
            peer.send(text(str(number)))
            with contextlib.suppress(TimeoutError):
                received.append(await asyncio.wait_for(connection.recv(), 0))
        while len(received) < 20:
            received.append(await connection.recv())
        assert received == [str(number) for number in range(20)]


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_a11_cancelled_sends_keep_whole_messages_in_order(compression: str | None) -> None:
    options = {"compression": compression, "max_size": None, "max_queue": None}
    async with connected(options, **options) as (client, server):
        message = "é" * 100_000
        sent = []
        for rounds in ROUNDS:
            # What is cancelled before its first step is not sent; anything else is.
            task = asyncio.ensure_future(client.send(f"{rounds} {message}"))
            await iterate(rounds)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            sent += [rounds] if rounds else []
        await client.send("last")
        for rounds in sent:
            assert await server.recv() == f"{rounds} {message}"
        assert await server.recv() == "last"


async def test_send_that_waits_for_room_can_be_cancelled(pair: MakePair) -> None:
    async with pair(ping_interval=None, compression=None) as (connection, peer):
        sending = asyncio.create_task(connection.send(b"x" * (1 << 24)))
        await until(lambda: connection._io.writing_paused)
        waiting = asyncio.create_task(connection.send("whole"))
        await iterate(3)
        for task in (sending, waiting):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert len((await peer.valid_frame()).data) == 1 << 24
        assert await peer.valid_frame() == text("whole")


async def test_send_behind_a_fragmented_message_can_be_cancelled(pair: MakePair) -> None:
    more = asyncio.Event()

    async def slow() -> AsyncIterator[str]:
        yield "a"
        await more.wait()

    async with pair(compression=None) as (connection, peer):
        sending = asyncio.create_task(connection.send(slow()))
        await iterate(2)
        for rounds in ROUNDS:
            assert await cancel_after(rounds, connection.send("never")) is None
        more.set()
        await sending
        await connection.send("next")
        assert [(await peer.valid_frame()).data for _ in range(3)] == [b"a", b"", b"next"]


async def test_a_fragmented_message_that_is_cancelled_fails_the_connection(
    pair: MakePair,
) -> None:
    async def slow() -> AsyncIterator[str]:
        yield "a"
        await asyncio.Event().wait()

    for rounds in ROUNDS:
        async with pair(compression=None) as (connection, peer):
            await cancel_after(rounds, connection.send(slow()))
            if rounds == 0:
                await connection.send("nothing was sent")
                assert await peer.valid_frame() == text("nothing was sent")
                continue
            assert await peer.valid_frame() == text("a", fin=False)
            assert (await peer.answer_close()).code == 1011
            await peer.close()
            with pytest.raises(ConnectionClosedError):
                await connection.send("x")


async def test_ping_can_be_cancelled(pair: MakePair) -> None:
    async with pair(compression=None) as (connection, peer):
        for rounds in ROUNDS:
            await cancel_after(rounds, connection.ping(str(rounds)))
        await connection.send("last")
        frames = [await peer.valid_frame()]
        while frames[-1].opcode is Opcode.PING:
            frames.append(await peer.valid_frame())
        assert [frame.data for frame in frames[:-1]] == [b"%d" % r for r in ROUNDS if r]
        assert frames[-1] == text("last")


async def test_close_goes_on_when_it_is_cancelled(pair: MakePair) -> None:
    for rounds in ROUNDS:
        async with pair() as (connection, peer):
            await cancel_after(rounds, connection.close(4000))
            if rounds == 0:
                assert connection.state is State.OPEN
                continue
            assert await peer.valid_frame() == close(4000)
            peer.send(close(4000))
            await peer.close()
            await connection.wait_closed()
            assert connection.close_code == 4000


async def test_a_cancelled_close_still_has_its_deadline(pair: MakePair) -> None:
    async with pair(close_timeout=0.05) as (connection, _):
        await cancel_after(2, connection.close())
        async with asyncio.timeout(1):
            await connection.wait_closed()


async def test_streaming_cancelled_between_messages_loses_nothing(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        for rounds in range(1, 5):
            stream = connection.recv_streaming()
            assert await cancel_after(rounds, anext(stream)) is None
            await stream.aclose()
            peer.send(text(str(rounds)))
            assert await connection.recv() == str(rounds)


async def test_streaming_cancelled_within_a_message_delivers_no_rest_of_it(
    pair: MakePair,
) -> None:
    async with pair() as (connection, peer):
        peer.send(text("1", fin=False))
        stream = connection.recv_streaming()
        assert await anext(stream) == "1"
        assert await cancel_after(3, anext(stream)) is None
        peer.send(Frame(Opcode.CONT, b"2"), text("next"))
        with pytest.raises(RuntimeError, match="recv_streaming"):
            await connection.recv()


async def test_connect_cancelled_anywhere_leaves_nothing_open() -> None:
    opened = []

    async def handler(connection: ServerConnection) -> None:
        opened.append(connection)
        await connection.wait_closed()

    async with serve(handler, "127.0.0.1", 0) as server:

        async def open_connection() -> None:
            client = await connect(uri_of(server).replace("localhost", "127.0.0.1"))
            await client.close()

        for rounds in range(40):
            task = asyncio.ensure_future(open_connection())
            await iterate(rounds)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await until(lambda: not server._all)
        # Some attempts were cut off before the handshake, some after it.
        assert 0 < len(opened) <= 40


async def test_wait_closed_and_a_waiting_pong_can_be_cancelled(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        pong = await connection.ping()
        for rounds in range(3):
            await cancel_after(rounds, connection.wait_closed())
        pong.cancel()
        await peer.close()
        await connection.wait_closed()
        with pytest.raises(ConnectionClosed):
            await connection.recv()
