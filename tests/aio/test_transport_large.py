"""Large payloads: received in place, sent without copies, whatever the socket takes at once."""

import asyncio
import contextlib
import hashlib
import random
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from tests.aio.conftest import Connection, MakePair, serialized, until
from tests.frames import close, text
from ws6455 import Close, ConnectionClosedError, Frame, Opcode, Side, State
from ws6455.framing import masking

MIB = 1 << 20
MakeEnds = Callable[..., AbstractAsyncContextManager[tuple[Connection, Connection]]]


@pytest.fixture(params=["numpy", "pure"])
def numpy_or_not(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pure":
        monkeypatch.setattr(masking, "_numpy", lambda: None)


def random_text(size: int) -> str:
    return random.Random(size).randbytes(size // 2).hex()


@pytest.mark.usefixtures("numpy_or_not")
@pytest.mark.parametrize("size", [16_000, 65_530, 65_536, 100_000, MIB, 5_000_001])
async def test_large_messages_there_and_back(ends: MakeEnds, size: int) -> None:
    binary, string = random.Random(size).randbytes(size), random_text(size)
    async with ends(max_size=None, compression=None) as (one, other):

        async def echo() -> None:
            for _ in range(6):
                await other.send(await other.recv())

        echoing = asyncio.create_task(echo())
        for message in (binary, string, "small", binary[::-1], b"", string[::-1]):
            await one.send(message)
            assert await one.recv() == message
        await echoing


async def test_what_the_socket_does_not_take_goes_out_in_order(ends: MakeEnds) -> None:
    # Small frames go straight to the socket, and must not overtake what waits in the transport.
    async with ends(max_size=None, compression=None) as (one, other):
        chance = random.Random(1)
        messages = [chance.randbytes(chance.choice([1, 100, 20_000, 3 * MIB])) for _ in range(40)]

        async def send() -> None:
            for message in messages:
                await one.send(message)

        sending = asyncio.create_task(send())
        await asyncio.sleep(0.05)  # so that the sockets' buffers are full
        for message in messages:
            received = await other.recv(decode=False)
            assert hashlib.sha256(received).digest() == hashlib.sha256(message).digest()
        await sending
        for _ in range(2):
            await one.send("last")
            assert await other.recv() == "last"
        assert one._io._fd == one._io._own_fd  # small frames go straight to the socket again


async def test_a_pong_overtakes_no_part_of_a_frame(pair: MakePair) -> None:
    payload = random.Random(2).randbytes(8 * MIB)
    async with pair(max_size=None, compression=None) as (connection, peer):
        sending = asyncio.create_task(connection.send(payload))
        await until(lambda: connection._io.writing_paused)
        peer.send(Frame(Opcode.PING, b"now"))
        await asyncio.sleep(0.05)
        frame = await peer.valid_frame()
        assert (frame.opcode, frame.data == payload) == (Opcode.BINARY, True)
        assert await peer.valid_frame() == Frame(Opcode.PONG, b"now")
        await sending


async def test_a_control_frame_after_a_large_frame_in_the_same_read(pair: MakePair) -> None:
    async with pair(max_size=None, compression=None) as (connection, peer):
        for size in (MIB, 70_000):
            peer.send(Frame(Opcode.BINARY, bytes(size)), text("next"), Frame(Opcode.PING, b"!"))
            assert await connection.recv() == bytes(size)
            assert await connection.recv() == "next"
            assert await peer.valid_frame() == Frame(Opcode.PONG, b"!")


async def test_a_peer_that_breaks_off_within_a_large_frame(pair: MakePair) -> None:
    async with pair(max_size=None, compression=None) as (connection, peer):
        peer.send(serialized(peer, Frame(Opcode.BINARY, bytes(MIB)))[:300_000])
        await until(lambda: connection.protocol.receive_buffer() is not None)
        await peer.close()
        await connection.wait_closed()
        assert connection.close_code == 1006


async def test_memory_is_that_of_the_payload(ends: MakeEnds) -> None:
    size = 16 * MIB
    async with ends(max_size=None, compression=None) as (one, other):
        payload = bytes(size)
        tracemalloc.start()
        try:
            receiving = asyncio.create_task(other.recv())
            await one.send(payload)
            assert len(await receiving) == size
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # Once what is received; and once what is masked, with every fourth byte on its way there.
    copies = 2.25 if one.protocol.side is Side.CLIENT else 1
    assert peak < copies * size + 2 * MIB


async def test_what_waits_for_room_goes_out_before_the_end(pair: MakePair) -> None:
    payload = random.Random(3).randbytes(8 * MIB)
    async with pair(max_size=None, compression=None) as (connection, peer):
        sending = asyncio.create_task(connection.send(payload))
        await until(lambda: bool(connection._io._backlog))
        closing = asyncio.create_task(connection.close(1001))
        peer.end_sending()  # all that there is to say
        frames = await peer.frames_to_close()
        assert [frame.data for frame in frames] == [payload, Close(1001, "").serialize()]
        assert await peer.bytes_to_end() == b""
        with contextlib.suppress(ConnectionClosedError):  # it may learn of the end first
            await sending
        await closing


async def test_a_close_frame_comes_behind_what_waits_for_room(pair: MakePair) -> None:
    payload = random.Random(4).randbytes(8 * MIB)
    async with pair(max_size=None, compression=None) as (connection, peer):
        sending = asyncio.create_task(connection.send(payload))
        await until(lambda: bool(connection._io._backlog))
        assert connection.buffered_amount > connection._io._backlog_size > 0
        closing = asyncio.create_task(connection.close(1001))
        frames = [await peer.valid_frame(), await peer.valid_frame()]
        assert frames[0].data == payload
        assert frames[1] == close(1001)
        await sending
        peer.send(frames[1])
        await peer.close()
        await closing
        assert connection.close_code == 1001


async def test_a_peer_that_has_closed_gets_all_that_was_sent_before(pair: MakePair) -> None:
    payload = random.Random(5).randbytes(8 * MIB)
    async with pair(max_size=None, compression=None) as (connection, peer):
        sending = asyncio.create_task(connection.send(payload))
        await until(lambda: bool(connection._io._backlog))
        peer.send(close(1000))
        await until(lambda: connection.state is not State.OPEN)
        frames = [await peer.valid_frame(), await peer.valid_frame()]
        assert frames[0].data == payload
        assert frames[1] == close(1000)
        await peer.close()
        await sending
        await connection.wait_closed()


async def test_a_program_that_looks_at_the_transport_finds_everything_in_it(
    pair: MakePair,
) -> None:
    payload = random.Random(6).randbytes(8 * MIB)
    async with pair(max_size=None, compression=None) as (connection, peer):
        sending = asyncio.create_task(connection.send(payload))
        await until(lambda: bool(connection._io._backlog))
        assert connection.transport is not None
        assert not connection._io._backlog
        connection.transport.close()
        frames = await peer.frames_to_close()
        assert [frame.data for frame in frames] == [payload]
        with contextlib.suppress(ConnectionClosedError):
            await sending


async def test_a_write_that_fails_ends_the_connection(pair: MakePair) -> None:
    async with pair(compression=None) as (connection, peer):
        peer.reset()

        async def send_on() -> None:
            while True:
                await connection.send("x")
                await asyncio.sleep(0)

        with pytest.raises(ConnectionClosedError, match="no close frame"):
            await asyncio.wait_for(send_on(), 10)
        assert connection._io._fd == -1  # the number may be another connection's by now
