"""ws6455.aio.streams: bytes from the transport to the connection, without a reader between."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.aio.conftest import iterate
from ws6455.aio.streams import BUFFER_SIZE, StreamProtocol
from ws6455.framing.frames import LARGE
from ws6455.testing import join


class Owner:
    """Notes what a stream protocol tells its connection."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.kinds: list[type] = []
        self.calls: list[Any] = []
        self.stream: StreamProtocol | None = None

    def attach(self, writer: asyncio.StreamWriter, stream: StreamProtocol | None = None) -> None:
        self.writer, self.stream = writer, stream

    def receive(self, data: bytes | memoryview) -> None:
        self.received.append(bytes(data))
        self.kinds.append(type(data))

    def receive_in_place(self, size: int) -> None:
        self.calls.append(("in place", size))

    def receive_eof(self) -> bool:
        self.calls.append("eof")
        return True

    def pause_writing(self) -> None:
        self.calls.append("pause")

    def resume_writing(self) -> None:
        self.calls.append("resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.calls.append(("lost", exc))


@contextlib.asynccontextmanager
async def connected(owner: Owner) -> AsyncIterator[StreamProtocol]:
    """Give a stream protocol of an owner, with a transport in memory."""
    protocol = StreamProtocol(asyncio.get_running_loop(), lambda writer: owner)
    ours, theirs = join(protocol, asyncio.Protocol())
    await iterate(2)
    try:
        yield protocol
    finally:
        ours.abort()
        theirs.abort()
        await iterate(3)


def fill(protocol: StreamProtocol, data: bytes) -> None:
    """Receive bytes, as a buffered transport of asyncio's does."""
    protocol.get_buffer(-1)[: len(data)] = data
    protocol.buffer_updated(len(data))


async def test_bytes_reach_the_connection_within_the_read() -> None:
    owner = Owner()
    async with connected(owner) as protocol:
        protocol.data_received(b"abc")  # as on uvloop
        fill(protocol, b"def")
        assert owner.received == [b"abc", b"def"]


async def test_small_reads_are_copied_out_of_the_shared_buffer_and_large_ones_are_lent() -> None:
    owner = Owner()
    async with connected(owner) as protocol:
        assert len(protocol.get_buffer(-1)) == BUFFER_SIZE
        fill(protocol, bytes(LARGE - 1))
        fill(protocol, bytes(LARGE))
        assert owner.kinds == [bytes, memoryview]


async def test_the_connections_of_a_loop_share_one_buffer() -> None:
    async with connected(Owner()) as one, connected(Owner()) as other:
        assert one.get_buffer(-1) is other.get_buffer(-1)


def test_another_loop_has_another_buffer() -> None:
    async def buffer() -> memoryview:
        async with connected(Owner()) as protocol:
            return protocol.get_buffer(-1)

    assert asyncio.run(buffer()) is not asyncio.run(buffer())


async def test_the_next_read_can_go_into_another_place_once() -> None:
    owner = Owner()
    async with connected(owner) as protocol:
        shared = protocol.get_buffer(-1)
        payload = bytearray(10)
        view = memoryview(payload)[2:]
        protocol.receive_into(view)
        fill(protocol, b"12345")
        assert payload == b"\0\0" + b"12345" + b"\0\0\0"
        assert owner.calls == [("in place", 5)]
        assert owner.received == []
        payload.append(1)  # no view holds it any more
        assert protocol.get_buffer(-1) is shared
        fill(protocol, b"next")
        assert owner.received == [b"next"]


async def test_the_place_is_released_when_the_transport_ends() -> None:
    owner = Owner()
    async with connected(owner) as protocol:
        payload = bytearray(10)
        protocol.receive_into(memoryview(payload))
        owner.writer.transport.abort()
        await iterate(3)
        payload.append(1)  # BufferError, if a view still held it
        assert owner.calls[-1] == ("lost", None)


async def test_events_of_the_transport_are_passed_on() -> None:
    owner = Owner()
    async with connected(owner) as protocol:
        protocol.pause_writing()
        protocol.resume_writing()
        assert protocol.eof_received() is True
        assert owner.calls == ["pause", "resume", "eof"]
        error = ConnectionResetError()
        protocol.connection_lost(error)
        name, given = owner.calls[-1]
        assert name == "lost"
        assert (type(given), given.args) == (ConnectionResetError, error.args)
        protocol.connection_lost(None)  # the connection is told once
        assert len(owner.calls) == 4


async def test_the_writer_waits_while_writing_is_paused() -> None:
    owner = Owner()
    async with connected(owner) as protocol:
        protocol.pause_writing()
        draining = asyncio.create_task(owner.writer.drain())
        await iterate(3)
        assert not draining.done()
        protocol.resume_writing()
        await draining


@pytest.mark.parametrize("kind", ["asyncio", "other"])
async def test_only_transports_of_asyncio_receive_in_place(kind: str) -> None:
    owner = Owner()
    protocol = StreamProtocol(asyncio.get_running_loop(), lambda writer: owner)

    class Transport(asyncio.Transport):
        def is_closing(self) -> bool:
            return True

    Transport.__module__ = "asyncio.selector_events" if kind == "asyncio" else "other.loop"
    protocol.connection_made(Transport())
    assert owner.stream is (protocol if kind == "asyncio" else None)
