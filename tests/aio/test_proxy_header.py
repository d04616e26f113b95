"""ws6455.aio.proxy_header: the protocol alone; servers are in tests.edges.test_behind_a_proxy."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvloop

from ws6455.aio.proxy_header import ProxyHeaderProtocol
from ws6455.exceptions import InvalidMessage
from ws6455.server.proxy_protocol import SourceAddress

LINE = b"PROXY TCP4 198.51.100.7 192.0.2.1 56324 443\r\n"

LOOPS = pytest.mark.parametrize("factory", [None, uvloop.new_event_loop], ids=["asyncio", "uvloop"])


class Next(asyncio.Protocol):
    """The protocol that gets the transport."""

    def __init__(self, source: SourceAddress | None) -> None:
        self.source = source
        self.data = b""
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)


class Accepted:
    """What became of an accepted socket."""

    def __init__(self, timeout: float | None, expected: bool) -> None:
        loop = asyncio.get_running_loop()
        self.handed_over: asyncio.Future[Next] = loop.create_future()
        self.ended: asyncio.Future[Exception | None] = loop.create_future()
        self.started = 0
        self.protocol = ProxyHeaderProtocol(
            lambda _: expected, self._next, timeout, self._start, self._end
        )

    def _next(self, source: SourceAddress | None) -> Next:
        protocol = Next(source)
        self.handed_over.set_result(protocol)
        return protocol

    def _start(self, _: ProxyHeaderProtocol) -> None:
        self.started += 1

    def _end(self, _: ProxyHeaderProtocol, exc: Exception | None) -> None:
        self.ended.set_result(exc)


@contextlib.asynccontextmanager
async def accepted(
    timeout: float | None = None, expected: bool = True
) -> AsyncIterator[tuple[Accepted, socket.socket]]:
    ours, theirs = socket.socketpair()
    outcome = Accepted(timeout, expected)
    async with asyncio.timeout(5):
        with theirs:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: outcome.protocol, ours)
            yield outcome, theirs
            theirs.close()
            if outcome.handed_over.done():
                await outcome.handed_over.result().lost


def run(factory: Any, coroutine: Any) -> None:
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(coroutine)


@LOOPS
def test_d23_the_transport_is_handed_over_with_every_byte_after_the_header(factory: Any) -> None:
    async def check() -> None:
        async with accepted() as (outcome, theirs):
            theirs.sendall(LINE + b"rest")
            protocol = await outcome.handed_over
            assert protocol.source == ("198.51.100.7", 56324)
            assert await outcome.ended is None
            assert outcome.started == 1
        assert protocol.data == b"rest"

    run(factory, check())


@LOOPS
def test_d23_a_peer_without_a_header_is_handed_over_at_once(factory: Any) -> None:
    async def check() -> None:
        async with accepted(expected=False) as (outcome, theirs):
            theirs.sendall(LINE)
            protocol = await outcome.handed_over
            assert protocol.source is None
        assert protocol.data == LINE
        assert outcome.started == 0

    run(factory, check())


@LOOPS
@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (b"GET", InvalidMessage, "not a PROXY header"),
        (b"", ConnectionError, "stream ends"),
        (LINE[:20], ConnectionError, "stream ends"),
    ],
)
def test_d23_an_error_is_reported_once(
    factory: Any, data: bytes, error: type[Exception], text: str
) -> None:
    async def check() -> None:
        async with accepted() as (outcome, theirs):
            theirs.sendall(data)
            theirs.shutdown(socket.SHUT_WR)
            exc = await outcome.ended
            assert isinstance(exc, error)
            assert text in str(exc)
            assert not outcome.handed_over.done()

    run(factory, check())


@LOOPS
def test_d23_the_header_has_a_deadline(factory: Any) -> None:
    async def check() -> None:
        async with accepted(timeout=0.05) as (outcome, theirs):
            theirs.sendall(LINE[:20])
            assert isinstance(await outcome.ended, TimeoutError)

    run(factory, check())


@LOOPS
def test_d23_the_deadline_ends_with_the_header(factory: Any) -> None:
    async def check() -> None:
        async with accepted(timeout=0.05) as (outcome, theirs):
            theirs.sendall(LINE)
            protocol = await outcome.handed_over
            await asyncio.sleep(0.1)
            assert not protocol.lost.done()

    run(factory, check())


@LOOPS
def test_d23_abort(factory: Any) -> None:
    async def check() -> None:
        async with accepted() as (outcome, theirs):
            outcome.protocol.abort()
            assert isinstance(await outcome.ended, ConnectionAbortedError)
            theirs.setblocking(False)
            assert theirs.recv(1) == b""

    run(factory, check())
