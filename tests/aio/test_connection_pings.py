"""ping and pong by hand."""

import asyncio
from typing import Any

import pytest

from tests.aio.conftest import MakePair, iterate, until
from tests.frames import close, text
from ws6455 import (
    ConcurrencyError,
    ConnectionClosedError,
    ConnectionClosedOK,
    Frame,
    Opcode,
    ProtocolError,
)


async def test_a_ping_gives_its_latency(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        assert connection.latency == 0
        pong = await connection.ping()
        ping = await peer.valid_frame()
        assert (ping.opcode, len(ping.data)) == (Opcode.PING, 4)
        assert not pong.done()
        await asyncio.sleep(0.01)
        peer.send(Frame(Opcode.PONG, ping.data))
        assert 0.01 <= await pong < 1
        assert connection.latency == pong.result()


async def test_payloads_of_every_kind(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        for data in ("é", b"\xff", bytearray(b"1"), memoryview(b"2"), b"x" * 125, b""):
            await connection.ping(data)
            frame = await peer.valid_frame()
            assert frame.data == (data.encode() if isinstance(data, str) else bytes(data))
            await connection.pong(data)
            assert await peer.valid_frame() == Frame(Opcode.PONG, frame.data)


async def test_wrong_payloads_are_refused_and_leave_nothing_behind(pair: MakePair) -> None:
    async with pair(compression=None) as (connection, peer):
        for _ in range(2):
            with pytest.raises(ProtocolError, match="too long"):
                await connection.ping(b"x" * 126)
            with pytest.raises(ProtocolError, match="too long"):
                await connection.pong(b"x" * 126)
        wrongs: list[Any] = [1, ["a"]]
        for wrong in wrongs:
            with pytest.raises(TypeError, match="data must be str or bytes-like"):
                await connection.ping(wrong)
            with pytest.raises(TypeError, match="data must be str or bytes-like"):
                await connection.pong(wrong)
        await connection.send("fine")
        assert await peer.valid_frame() == text("fine")


async def test_a_payload_waits_for_one_pong_at_a_time(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        first = await connection.ping("same")
        with pytest.raises(ConcurrencyError, match="already waits"):
            await connection.ping("same")
        peer.send(Frame(Opcode.PONG, b"same"))
        await first
        second = await connection.ping("same")
        peer.send(Frame(Opcode.PONG, b"same"))
        await second


async def test_a_pong_settles_the_pings_before_its_own(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        pongs = [await connection.ping(str(number)) for number in range(3)]
        peer.send(Frame(Opcode.PONG, b"1"))
        await pongs[0]
        assert [pong.done() for pong in pongs] == [True, True, False]
        assert pongs[0].result() >= pongs[1].result()
        peer.send(Frame(Opcode.PONG, b"0"), Frame(Opcode.PONG, b"2"))
        await pongs[2]


async def test_a_cancelled_wait_for_a_pong_harms_no_other(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        given_up, kept = await connection.ping(b"1"), await connection.ping(b"2")
        given_up.cancel()
        peer.send(Frame(Opcode.PONG, b"2"))
        assert await kept > 0


async def test_unsolicited_pongs_are_ignored(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        waiting = await connection.ping(b"mine")
        peer.send(Frame(Opcode.PONG, b"yours"), Frame(Opcode.PONG, b""), text("after"))
        assert await connection.recv() == "after"
        assert not waiting.done()
        assert connection.latency == 0
        peer.send(Frame(Opcode.PONG, b"mine"))
        await waiting


async def test_the_end_of_the_connection_settles_a_ping(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        awaited, forgotten = await connection.ping(), await connection.ping()
        await peer.close()
        with pytest.raises(ConnectionClosedError):
            await awaited
        await connection.wait_closed()
        # Nobody asks for the other's exception, and nobody is told about that.
        assert forgotten.done()


async def test_no_ping_or_pong_follows_the_peers_close(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        peer.send(close(1000))
        await peer.valid_frame()
        for call in (connection.ping(), connection.pong()):
            with pytest.raises(ConnectionClosedOK):
                await call
        await peer.close()
        assert await peer.bytes_to_end() == b""


async def test_a_keepalive_ping_leaves_an_empty_ping_waiting(pair: MakePair) -> None:
    async with pair(ping_interval=0.01, ping_timeout=None) as (connection, peer):
        waiting = await connection.ping(b"")
        for _ in range(3):
            await peer.valid_frame()
        assert not waiting.done()
        peer.send(Frame(Opcode.PONG, b""))
        async with asyncio.timeout(2):
            assert await waiting > 0


async def test_a_ping_flood_without_reading_keeps_the_latest_pong(pair: MakePair) -> None:
    async with pair(ping_interval=None) as (connection, peer):
        # The peer reads nothing until what it is sent fills every buffer on the way.
        sending = asyncio.create_task(connection.send(b"x" * (1 << 24)))
        await until(lambda: connection._io.writing_paused)
        await iterate(10)
        backlog = connection._io.unsent_bytes()
        for number in range(20_000):
            peer.send(Frame(Opcode.PING, b"%d" % number))
            if number % 500 == 0:
                await peer.writer.drain()
        await peer.writer.drain()
        peer.send(text("behind the flood"))
        assert await connection.recv() == "behind the flood"
        assert len(connection.protocol.pongs_due) == 1
        assert connection._io.unsent_bytes() <= backlog
        while (frame := await peer.valid_frame()).opcode is not Opcode.PONG:
            pass
        assert frame.data == b"19999"
        await sending
