"""Connections that trace the bytes between the library and the transport.

Every byte that is written to the transport or received from it is passed to a
:class:`~.trace.Trace` at that moment. With TLS, these are the bytes inside TLS. The handshake with
an HTTP or SOCKS proxy is not traced.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from typing import Any, cast

from ..aio.client_connection import ClientConnection
from ..aio.connection import Connection
from ..aio.server_connection import ServerConnection
from ..aio.streams import StreamProtocol
from .trace import Trace, TraceLine

__all__ = ["TracedClientConnection", "TracedServerConnection", "traced_client", "traced_server"]


class _Tapped:
    """A wrapper that delegates to an object of asyncio; subclasses trace some of its methods.

    Args:
        real: the wrapped object.
        trace: the trace.
    """

    def __init__(self, real: Any, trace: Trace) -> None:
        self._real = real
        self._trace = trace

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _TappedTransport(_Tapped):
    def write(self, data: bytes | memoryview) -> None:
        self._trace.passed(">", bytes(data))
        self._real.write(data)

    def writelines(self, parts: Iterable[bytes | memoryview]) -> None:
        parts = list(parts)
        self._trace.passed(">", b"".join(parts))
        self._real.writelines(parts)

    def write_eof(self) -> None:
        self._real.write_eof()
        self._trace.ended(">", "TCP closed for sending")

    def close(self) -> None:
        self._trace.ended(">", "TCP closed")
        self._real.close()

    def abort(self) -> None:
        self._trace.ended(">", "TCP aborted")
        self._real.abort()


class _TappedWriter(_Tapped):
    def __init__(self, real: asyncio.StreamWriter, trace: Trace) -> None:
        super().__init__(real, trace)
        self.transport = _TappedTransport(real.transport, trace)

    def write_eof(self) -> None:
        self.transport.write_eof()

    def close(self) -> None:
        self.transport.close()


class _TracedConnection(Connection):
    __slots__ = ()

    trace: Trace

    def attach(self, writer: asyncio.StreamWriter, stream: StreamProtocol | None = None) -> None:
        # Without the stream, nothing is received in place, which would bypass the trace. The
        # wrapper is not one of asyncio's transports, so nothing is written past it either.
        super().attach(cast(asyncio.StreamWriter, _TappedWriter(writer, self.trace)), None)

    def receive(self, data: bytes | memoryview) -> None:
        self.trace.passed("<", bytes(data))
        super().receive(data)

    def receive_eof(self) -> bool:
        self.trace.ended("<", "TCP closed by the peer")
        stays_open = super().receive_eof()
        if not stays_open:
            self.trace.ended(">", "TCP closed")  # by the transport itself
        return stays_open

    def connection_lost(self, exc: BaseException | None) -> None:
        if exc is not None:
            self.trace.ended("<", f"TCP lost: {exc}")
        super().connection_lost(exc)


class TracedClientConnection(_TracedConnection, ClientConnection):
    """A client's connection with a trace."""


class TracedServerConnection(_TracedConnection, ServerConnection):
    """A server's connection with a trace."""


def traced_client(show: Callable[[TraceLine], None]) -> Callable[..., ClientConnection]:
    """Return a `create_connection` argument for :class:`ws6455.connect`.

    Args:
        show: called with each line.
    """

    def create(*args: Any, **options: Any) -> ClientConnection:
        connection = TracedClientConnection(*args, **options)
        connection.trace = Trace(show, is_client=True)
        return connection

    return create


def traced_server(show: Callable[[TraceLine], None]) -> Callable[..., ServerConnection]:
    """Return a `create_connection` argument for :class:`ws6455.serve`.

    Args:
        show: called with each line; the connections are numbered.
    """
    numbers = itertools.count(1)

    def create(*args: Any, **options: Any) -> ServerConnection:
        connection = TracedServerConnection(*args, **options)
        connection.trace = Trace(show, is_client=False, connection=f"#{next(numbers)}")
        return connection

    return create
