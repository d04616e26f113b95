"""TLS on a connected transport, for asyncio.

asyncio closes the socket as soon as a write fails, whether or not it has been read to its end. The
peer's last messages, and the Close frame that gives its reason, would be lost. Through TLS the
library does not see the socket, so a protocol of its own stands between the socket and asyncio's
TLS protocol.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Iterator
from typing import Any, cast

from .streams import StreamProtocol

__all__ = ["PlainProtocol", "TLSAcceptor", "read_rest", "split_options", "start_tls"]

# Arguments of the loop's ``create_connection`` and ``create_server`` that ``start_tls`` takes.
_OPTIONS = ("server_hostname", "ssl_handshake_timeout", "ssl_shutdown_timeout")

_CHUNK = 1 << 16
# More than a system keeps for one socket by default.
_MAX_CHUNKS = 256


def read_rest(sock: Any) -> Iterator[bytes]:
    """Yield the bytes that a socket still has; the connection is lost.

    Args:
        sock: the socket of a transport, whose file descriptor is open.
    """
    for _ in range(_MAX_CHUNKS):
        try:
            data = os.read(sock.fileno(), _CHUNK)
        except OSError:
            return  # nothing more has arrived
        if not data:
            return
        yield data


def split_options(options: dict[str, Any]) -> dict[str, Any]:
    """Remove and return the options of :func:`start_tls`, if there is a TLS context.

    Args:
        options: arguments of the loop's ``create_connection`` or ``create_server``.
    """
    if not options.get("ssl"):
        return {}
    del options["ssl"]
    return {name: options.pop(name) for name in _OPTIONS if name in options}


class PlainProtocol(asyncio.Protocol):
    """Protocol of a connected socket until :func:`start_tls` replaces it.

    Attributes:
        received: bytes for TLS that arrived before it.
    """

    def __init__(self) -> None:
        self.received: bytearray = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Pause reading: asyncio's TLS protocol would miss an end that is noticed before it."""
        cast(asyncio.Transport, transport).pause_reading()

    def data_received(self, data: bytes) -> None:
        """Keep data: uvloop reads at first, even if reading is paused."""
        self.received += data


async def start_tls(
    transport: asyncio.Transport,
    protocol: asyncio.Protocol,
    context: ssl.SSLContext,
    **options: Any,
) -> asyncio.Transport:
    """Perform a TLS handshake, and connect a protocol to the TLS transport.

    Args:
        transport: a connected transport; it is closed if the handshake fails. What its
            :class:`PlainProtocol` has received belongs to the handshake.
        protocol: the protocol; its `connection_made` is called.
        context: the TLS context.
        options: arguments of the loop's ``start_tls``.

    Returns:
        The TLS transport.

    Raises:
        OSError: if the handshake fails.
    """
    early = _EarlyProtocol()
    plain = transport.get_protocol()
    loop = asyncio.get_running_loop()
    try:
        if transport.is_closing():
            raise ConnectionResetError("connection lost before the TLS handshake")
        if isinstance(plain, PlainProtocol) and plain.received:
            # It runs before the handshake begins, and after the protocol was replaced.
            loop.call_soon(lambda: _pass_on(_tls_protocol(transport), plain.received))
        tls_transport = await loop.start_tls(transport, early, context, **options)
        if tls_transport is None:
            raise ConnectionResetError("connection lost during the TLS handshake")
    except BaseException:
        transport.abort()
        raise
    # Not for TLS within TLS, and none is left if the connection is lost already.
    is_socket = os.name == "posix" and transport.get_extra_info("ssl_object") is None
    if is_socket and transport.get_protocol() is not None:
        sock = transport.get_extra_info("socket")
        transport.set_protocol(_SocketProtocol(_tls_protocol(transport), tls_transport, sock))
        if isinstance(protocol, StreamProtocol):
            protocol.note_socket_transport(transport)
    early.replace(tls_transport, protocol)
    return tls_transport


def _tls_protocol(transport: asyncio.Transport) -> asyncio.BufferedProtocol:
    """Return asyncio's TLS protocol on a transport."""
    return cast(asyncio.BufferedProtocol, transport.get_protocol())


def _pass_on(protocol: asyncio.BufferedProtocol, data: bytes | bytearray) -> None:
    """Have a buffered protocol receive data."""
    while data:
        buffer = memoryview(protocol.get_buffer(len(data)))
        size = min(len(data), len(buffer))
        buffer[:size] = data[:size]
        protocol.buffer_updated(size)
        data = data[size:]


class _EarlyProtocol(asyncio.Protocol):
    """Protocol of a TLS transport until :func:`start_tls` ends.

    The last bytes of a handshake may arrive together with data, and with the end.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._has_ended = self._is_lost = False
        self._exc: Exception | None = None

    def data_received(self, data: bytes) -> None:
        """Keep data."""
        self._data += data

    def eof_received(self) -> None:
        """Note the end of the stream."""
        self._has_ended = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the transport."""
        self._is_lost = True
        self._exc = exc

    def replace(self, transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
        """Connect a protocol, and pass on everything received so far."""
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if self._data:
            protocol.data_received(bytes(self._data))
        if self._has_ended:
            protocol.eof_received()
        if self._is_lost:
            protocol.connection_lost(self._exc)


class TLSAcceptor(PlainProtocol):
    """Protocol of an accepted socket: performs the TLS handshake, then connects a protocol.

    Args:
        protocol: the protocol to connect.
        context: the TLS context.
        options: arguments of the loop's ``start_tls``.
        started: called with this object when there is a transport.
        ended: called with this object, and the error or None, when the handshake has ended.
    """

    def __init__(
        self,
        protocol: asyncio.Protocol,
        context: ssl.SSLContext,
        options: dict[str, Any],
        started: Callable[[TLSAcceptor], None],
        ended: Callable[[TLSAcceptor, Exception | None], None],
    ) -> None:
        super().__init__()
        self._protocol = protocol
        self._context = context
        self._options = options
        self._started = started
        self._ended = ended
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the TLS handshake."""
        super().connection_made(transport)
        self._transport = cast(asyncio.Transport, transport)
        # The task is kept by what it waits for.
        self._task = asyncio.get_running_loop().create_task(self._accept())
        self._started(self)

    async def _accept(self) -> None:
        error = None
        try:
            await start_tls(
                self._transport, self._protocol, self._context, server_side=True, **self._options
            )
        except Exception as exc:
            error = exc
        self._ended(self, error)

    def abort(self) -> None:
        """Close the socket at once."""
        self._transport.abort()


class _SocketProtocol(asyncio.BufferedProtocol):
    """Protocol of the socket under TLS: reads it to its end before it counts as lost.

    Args:
        tls: asyncio's TLS protocol.
        tls_transport: its transport.
        sock: the socket.
    """

    def __init__(
        self, tls: asyncio.BufferedProtocol, tls_transport: asyncio.Transport, sock: Any
    ) -> None:
        self._tls = tls
        self._tls_transport = tls_transport
        self._sock = sock
        # Without a call between.
        self.get_buffer = tls.get_buffer  # type: ignore[method-assign]
        self.buffer_updated = tls.buffer_updated  # type: ignore[method-assign]
        self.eof_received = tls.eof_received  # type: ignore[method-assign]
        self.pause_writing = tls.pause_writing  # type: ignore[method-assign]
        self.resume_writing = tls.resume_writing  # type: ignore[method-assign]

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on the bytes that have arrived, then the end of the transport."""
        if exc is not None:
            self._tls_transport.resume_reading()
            self._decrypt(b"")  # bytes received while reading was paused
            for data in read_rest(self._sock):
                self._decrypt(data)
        self._tls.connection_lost(exc)

    def _decrypt(self, data: bytes) -> None:
        _pass_on(self._tls, data)
        # The library may have given a buffer that only the rest of a payload fits in: asyncio
        # leaves what follows to the next turn of the loop.
        self.buffer_updated(0)
