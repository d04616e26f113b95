"""Tests of the transports in memory. Each scenario runs over TCP too, with the same result."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import pytest

from ws6455.testing import MemoryTransport, join


class Recorder(asyncio.Protocol):
    """Records the calls of its transport; bytes are joined, since TCP may split them anywhere."""

    def __init__(self, keep_open: bool = False) -> None:
        self.keep_open = keep_open
        self.calls: list[str] = []
        self.received = bytearray()
        self.transport: asyncio.Transport
        self.changed = asyncio.Event()

    def note(self, call: str) -> None:
        self.calls.append(call)
        self.changed.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.note("made")

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.calls[-1] != "data":
            self.note("data")
        self.changed.set()

    def eof_received(self) -> bool:
        self.note("eof")
        return self.keep_open

    def pause_writing(self) -> None:
        self.note("pause")

    def resume_writing(self) -> None:
        self.note("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.note(f"lost {type(exc).__name__}")

    async def until(self, call: str) -> None:
        """Wait for a call whose record starts with `call`."""
        async with asyncio.timeout(5):
            while not any(made.startswith(call) for made in self.calls):
                self.changed.clear()
                await self.changed.wait()

    async def until_received(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.received) < count:
                self.changed.clear()
                await self.changed.wait()


class Join(Protocol):
    def __call__(self, client: Recorder, server: Recorder) -> AbstractAsyncContextManager[None]: ...


@contextlib.asynccontextmanager
async def over_tcp(client: Recorder, server: Recorder) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: server, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    await loop.create_connection(lambda: client, "127.0.0.1", port)
    await server.until("made")
    try:
        yield
    finally:
        for side in (client, server):
            if not side.transport.is_closing():
                side.transport.abort()
        for side in (client, server):
            await side.until("lost")
        listener.close()
        await listener.wait_closed()


@contextlib.asynccontextmanager
async def in_memory(client: Recorder, server: Recorder) -> AsyncIterator[None]:
    join(client, server)
    yield


@pytest.fixture(params=[over_tcp, in_memory], ids=["tcp", "memory"])
def joined(request: pytest.FixtureRequest) -> Join:
    """A function that connects two protocols."""
    made: Join = request.param
    return made


def reset(transport: asyncio.Transport) -> None:
    if isinstance(transport, MemoryTransport):
        transport.reset()
        return
    transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    transport.abort()


async def test_what_is_written_before_closing_arrives_and_then_the_end(joined: Join) -> None:
    client, server = Recorder(), Recorder()
    async with joined(client, server):
        client.transport.write(b"all of")
        client.transport.writelines([b" ", b"it"])
        client.transport.close()
        assert client.transport.is_closing()
        client.transport.write(b"not this")
        assert client.calls == ["made"]  # all other calls come from the loop
        await server.until("lost NoneType")
        await client.until("lost NoneType")
    assert server.received == b"all of it"
    assert server.calls == ["made", "data", "eof", "lost NoneType"]
    assert client.calls == ["made", "lost NoneType"]


async def test_one_direction_can_end_before_the_other(joined: Join) -> None:
    client, server = Recorder(), Recorder(keep_open=True)
    async with joined(client, server):
        client.transport.write(b"question")
        assert client.transport.can_write_eof()
        client.transport.write_eof()
        with pytest.raises(RuntimeError, match=r"Cannot call write\(\) after write_eof\(\)"):
            client.transport.write(b"more")
        await server.until("eof")
        assert not server.transport.is_closing()
        server.transport.write(b"answer")
        server.transport.close()
        await client.until("lost NoneType")
        await server.until("lost NoneType")
    assert [client.received, server.received] == [b"answer", b"question"]
    assert client.calls == ["made", "data", "eof", "lost NoneType"]
    assert server.calls == ["made", "data", "eof", "lost NoneType"]


async def test_an_abort_looks_like_the_end_to_the_peer(joined: Join) -> None:
    client, server = Recorder(), Recorder()
    async with joined(client, server):
        client.transport.abort()
        await server.until("lost NoneType")
        await client.until("lost NoneType")
    assert server.calls == ["made", "eof", "lost NoneType"]
    assert client.calls == ["made", "lost NoneType"]


async def test_a_reset_is_an_error_for_the_peer_behind_what_was_sent(joined: Join) -> None:
    client, server = Recorder(), Recorder()
    async with joined(client, server):
        client.transport.write(b"before")
        await server.until_received(6)
        reset(client.transport)
        await server.until("lost ConnectionResetError")
    assert server.calls == ["made", "data", "lost ConnectionResetError"]


async def test_closing_with_bytes_unread_resets_the_peer(joined: Join) -> None:
    client, server = Recorder(), Recorder()
    async with joined(client, server):
        server.transport.pause_reading()
        client.transport.write(b"never read")
        for _ in range(3):
            await asyncio.sleep(0)
        server.transport.close()
        await client.until("lost ConnectionResetError")
    assert client.calls == ["made", "lost ConnectionResetError"]
    assert not server.received


async def test_writing_pauses_while_the_peer_does_not_read(joined: Join) -> None:
    client, server = Recorder(), Recorder()
    data = bytes(1 << 23)
    async with joined(client, server):
        client.transport.set_write_buffer_limits(high=1 << 16, low=1 << 10)
        assert client.transport.get_write_buffer_limits() == (1 << 10, 1 << 16)
        server.transport.pause_reading()
        assert not server.transport.is_reading()
        client.transport.write(data)
        assert client.calls == ["made", "pause"]  # at once
        assert client.transport.get_write_buffer_size() > 1 << 16
        for _ in range(10):
            await asyncio.sleep(0)
        assert not server.received
        assert client.calls == ["made", "pause"]
        server.transport.resume_reading()
        await client.until("resume")
        assert client.transport.get_write_buffer_size() <= 1 << 10
        await server.until_received(len(data))
    assert server.received == data


async def test_what_waits_to_be_sent_is_sent_before_closing(joined: Join) -> None:
    client, server = Recorder(), Recorder()
    data = bytes(1 << 23)
    async with joined(client, server):
        client.transport.write(data)
        client.transport.close()
        await server.until("lost NoneType")
        await client.until("lost NoneType")
    assert len(server.received) == len(data)
    assert client.calls == ["made", "pause", "resume", "lost NoneType"]


async def test_a_side_that_stopped_reading_sees_the_end_when_it_goes_on(joined: Join) -> None:
    client, server = Recorder(), Recorder()
    async with joined(client, server):
        server.transport.pause_reading()
        client.transport.write(b"late")
        client.transport.close()
        await client.until("lost NoneType")
        assert server.calls == ["made"]
        server.transport.resume_reading()
        await server.until("lost NoneType")
    assert server.calls == ["made", "data", "eof", "lost NoneType"]


async def test_writing_to_a_side_that_is_gone_ends_in_an_error(joined: Join) -> None:
    client, server = Recorder(keep_open=True), Recorder()
    async with joined(client, server):
        server.transport.abort()
        await client.until("eof")
        async with asyncio.timeout(5):
            while not client.transport.is_closing():  # TCP reports it at the second write
                client.transport.write(b"is anybody there?")
                await asyncio.sleep(0.001)
        await asyncio.sleep(0)
    assert client.calls[:2] == ["made", "eof"]
    assert client.calls[2] in ("lost ConnectionResetError", "lost BrokenPipeError")


async def test_a_protocol_that_raises_loses_its_connection(joined: Join) -> None:
    class Failing(Recorder):
        def data_received(self, data: bytes) -> None:
            raise LookupError("nothing to be done")

    client, server = Recorder(), Failing()
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    async with joined(client, server):
        client.transport.write(b"x")
        await server.until("lost LookupError")
        await client.until("eof")
    (context,) = reported
    assert isinstance(context["exception"], LookupError)
    assert context["transport"] is server.transport
    assert server.calls == ["made", "lost LookupError"]


async def test_another_protocol_can_take_over(joined: Join) -> None:
    client, server, second = Recorder(), Recorder(), Recorder()
    async with joined(client, server):
        second.connection_made(server.transport)
        server.transport.set_protocol(second)
        assert server.transport.get_protocol() is second
        client.transport.write(b"for the second")
        await second.until_received(14)
        server.transport.set_protocol(server)
    assert not server.received


@pytest.mark.parametrize(
    ("arguments", "limits"),
    [
        ({}, (1 << 14, 1 << 16)),
        ({"high": 0}, (0, 0)),
        ({"high": 100}, (25, 100)),
        ({"low": 100}, (100, 400)),
        ({"high": 9, "low": 9}, (9, 9)),
    ],
)
async def test_the_limits_are_as_asyncio_documents_them(
    joined: Join, arguments: dict[str, int], limits: tuple[int, int]
) -> None:
    client, server = Recorder(), Recorder()
    async with joined(client, server):
        client.transport.set_write_buffer_limits(**arguments)
        assert client.transport.get_write_buffer_limits() == limits
        with pytest.raises(ValueError, match="must be >="):
            client.transport.set_write_buffer_limits(high=1, low=2)


async def test_each_side_knows_both_addresses() -> None:
    client, server = Recorder(), Recorder()
    join(client, server)
    for ours, theirs in ((client, server), (server, client)):
        info = ours.transport.get_extra_info
        assert info("sockname") == theirs.transport.get_extra_info("peername")
        assert info("sockname") != info("peername")
        assert info("socket") is None
