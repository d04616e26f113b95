"""The closing handshake, its deadline, and connections that are simply cut."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

import ws6455
from tests.aio.conftest import (
    MakePair,
    connected,
    iterate,
    send_last,
    serving_one,
    until,
    until_queued,
)
from tests.conftest import uri_of
from tests.frames import close, text
from ws6455 import (
    Close,
    ConnectionClosed,
    ConnectionClosedOK,
    Opcode,
    ServerConnection,
    State,
)


async def test_a13_closing_again_and_from_several_tasks_sends_one_frame(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        closing = asyncio.gather(*(connection.close(4000 + number) for number in range(3)))
        assert await peer.answer_close() == Close(4000, "")
        await peer.close()
        await closing
        async with asyncio.timeout(1):
            await connection.close()
            await connection.wait_closed()
        assert connection.close_code == 4000


async def test_both_sides_closing_at_once_end_cleanly() -> None:
    async with connected() as (client, server):
        await asyncio.gather(client.close(1000, "client"), server.close(1001, "server"))
        for connection, other in ((client, server), (server, client)):
            with pytest.raises(ConnectionClosedOK) as caught:
                await connection.recv()
            assert caught.value.rcvd_then_sent is False
            assert caught.value.rcvd == other.protocol.close_sent


async def test_the_server_closes_tcp_first(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        peer.send(close(1000))
        assert (await peer.valid_frame()).opcode is Opcode.CLOSE
        if isinstance(connection, ServerConnection):
            assert await peer.bytes_to_end() == b""
            assert not peer.was_reset
        else:
            await iterate(10)
            assert not peer.reader.at_eof()
        assert connection.protocol.state is State.CLOSING
        assert connection.state is State.CLOSED  # for the application, which gets no more messages
        await peer.close()
        await connection.wait_closed()


@pytest.mark.parametrize("answers", [False, True], ids=["no Close", "no end of TCP"])
async def test_a_peer_that_does_not_finish_is_cut_off(pair: MakePair, answers: bool) -> None:
    async with pair(close_timeout=0.1) as (connection, peer):
        started = time.monotonic()
        closing = asyncio.create_task(connection.close())
        if answers:
            await peer.answer_close()
        await closing
        assert 0.05 < time.monotonic() - started < 1
        with pytest.raises(ConnectionClosed) as caught:
            await connection.recv()
        assert (caught.value.rcvd is not None) is answers


async def test_closing_finds_the_close_frame_behind_messages_nobody_takes(
    pair: MakePair,
) -> None:
    async with pair(max_queue=2, compression=None) as (connection, peer):
        for number in range(3):
            peer.send(text(str(number)))
            await until_queued(connection, number + 1)
        await until(lambda: connection._reading_paused)
        peer.send(*[text("x" * 1000)] * 500)
        closing = asyncio.create_task(connection.close())
        await peer.answer_close()
        await peer.close()
        async with asyncio.timeout(2):
            await closing
        assert connection.close_code == 1000
        # What was there when it closed is kept, what came after it is not.
        assert [message async for message in connection][:3] == ["0", "1", "2"]


async def test_leaving_the_block_closes(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        closing = asyncio.create_task(connection.__aexit__(None, None, None))
        assert (await peer.answer_close()).code == 1000
        await peer.close()
        await closing


async def test_leaving_the_block_by_an_exception_closes_with_1011(pair: MakePair) -> None:
    async def fail() -> None:
        async with connection:
            raise LookupError

    async with pair() as (connection, peer):
        failing = asyncio.create_task(fail())
        assert (await peer.answer_close()).code == 1011
        await peer.close()
        with pytest.raises(LookupError):
            await failing


async def test_what_a_connection_shows_outlives_it(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        local, remote = connection.local_address, connection.remote_address
        assert local == peer.writer.get_extra_info("peername")
        assert remote == peer.writer.get_extra_info("sockname")
        await send_last(peer, close(1000))
        await connection.wait_closed()
        assert (connection.local_address, connection.remote_address) == (local, remote)
        assert connection.request is not None
        assert connection.response is not None
        assert connection.id.version == 4
        record = connection.logger.process("message", {})
        assert record[1]["extra"]["websocket"] is connection


@pytest.mark.parametrize("answer", [b"\x88\x02\x03\xed", b"\xf1\x00"], ids=["close", "frame"])
async def test_a_violation_in_answer_to_our_close_ends_it_at_once(answer: bytes) -> None:
    protocol = ws6455.ServerProtocol(state=ws6455.State.OPEN)
    protocol.send_close(1000)
    assert protocol.data_to_send()[-1] != b""
    masked = bytes([answer[0], answer[1] | 0x80, 0, 0, 0, 0]) + answer[2:]
    protocol.receive_data(masked)
    assert protocol.violation is not None
    assert protocol.data_to_send() == [b""]  # the server closes TCP, and sends no second Close


async def test_closing_before_the_first_fragment_is_no_error() -> None:
    async with serving_one() as (server, connected), ws6455.connect(uri_of(server)) as client:
        connection = await connected

        async def late() -> AsyncIterator[str]:
            await asyncio.Event().wait()
            yield "never"

        sending = asyncio.create_task(connection.send(late()))
        await asyncio.sleep(0)
        await connection.close()
        with pytest.raises(ws6455.ConnectionClosedOK):
            await client.recv()
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
