"""Stream protocol that passes bytes to the connection as soon as they arrive.

It is the protocol of :mod:`asyncio.streams` with its writer, on the transport of any loop, but
without a StreamReader that stores the bytes and a task that reads from it. Pings are answered and
closes noticed while the application is busy, and a message costs one wake-up.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Protocol, cast

from ..exceptions import without_traceback
from ..framing.frames import LARGE
from ..session.io import WritingOwner

__all__ = ["StreamProtocol"]

BUFFER_SIZE = 1 << 18

# One buffer for all connections of a loop, since it is emptied after each read. Without it the
# stock loop allocates and frees 256 KiB for every read, even a small one.
_BUFFERS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = (
    weakref.WeakKeyDictionary()
)


def _shared_buffer(loop: asyncio.AbstractEventLoop) -> memoryview:
    buffer = _BUFFERS.get(loop)
    if buffer is None:
        buffer = _BUFFERS[loop] = memoryview(bytearray(BUFFER_SIZE))
    return buffer


class StreamOwner(WritingOwner, Protocol):
    """Connection that a stream protocol calls, see :class:`~ws6455.aio.connection.Connection`."""

    def attach(self, writer: asyncio.StreamWriter, stream: StreamProtocol | None = None) -> None:
        """Take the writer of the transport, and the protocol that receives payloads in place."""

    def receive(self, data: bytes | memoryview) -> None:
        """Receive bytes from the transport."""

    def receive_in_place(self, size: int) -> None:
        """Receive bytes that the transport has written to the protocol's receive buffer."""

    def receive_eof(self) -> bool:
        """Receive the end of the stream; return True if there is still something to write."""

    def connection_lost(self, exc: BaseException | None) -> None:
        """Process the end of the transport, with the error that ended it."""


class StreamProtocol(asyncio.StreamReaderProtocol, asyncio.BufferedProtocol):
    """Protocol of a transport: receives into a shared buffer and calls the connection.

    Args:
        loop: the event loop.
        connected: returns the connection; called with the stream's writer once the transport is
            connected, its TLS handshake included.

    Attributes:
        socket_transport: with TLS, the transport of the socket beneath, if it is known.
    """

    socket_transport: asyncio.Transport | None = None

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: Callable[[asyncio.StreamWriter], StreamOwner],
    ) -> None:
        # No StreamReader: nothing would be stored in it. asyncio accepts None in every version from
        # 3.11 on, but typeshed does not declare it.
        super().__init__(None, loop=loop)  # type: ignore[arg-type]
        self._event_loop = loop
        self._connected: Callable[[asyncio.StreamWriter], StreamOwner] | None = connected
        self._connection: StreamOwner | None = None
        self._shared = self._buffer = _shared_buffer(loop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Create the writer and the connection."""
        super().connection_made(transport)
        transport = cast(asyncio.Transport, transport)
        writer = asyncio.StreamWriter(transport, self, None, self._event_loop)
        # Called only once; keeping it could close a reference cycle with the connection.
        connected, self._connected = self._connected, None
        assert connected is not None
        self._connection = connected(writer)
        buffered = type(transport).__module__.startswith("asyncio.")
        self._connection.attach(writer, self if buffered else None)

    def note_socket_transport(self, transport: asyncio.Transport) -> None:
        """Note the transport of the socket under TLS."""
        self.socket_transport = transport

    def receive_into(self, buffer: memoryview) -> None:
        """Receive the next bytes into this buffer instead, once."""
        self._buffer = buffer

    def _receive_into_shared(self) -> None:
        if self._buffer is not self._shared:
            self._buffer.release()  # even if the transport still refers to it
            self._buffer = self._shared

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the buffer for the next read."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass the bytes received to the connection."""
        connection, buffer = self._connection, self._buffer
        if connection is None:
            return  # a read that ended after the transport
        if buffer is self._shared:
            data = buffer[:nbytes]
            connection.receive(data.tobytes() if nbytes < LARGE else data)
        else:
            self._receive_into_shared()
            connection.receive_in_place(nbytes)

    def data_received(self, data: bytes) -> None:
        """Pass bytes to the connection; for uvloop, which does not use the buffer here."""
        if self._connection is not None:
            self._connection.receive(data)

    def eof_received(self) -> bool:
        """Pass on the end of the stream; return True to keep the transport open."""
        return self._connection is not None and self._connection.receive_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on the end of the transport."""
        if exc is not None:
            exc = cast(Exception, without_traceback(exc))
        super().connection_lost(exc)
        self._receive_into_shared()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """Note that the transport's buffer is above its high-water mark."""
        super().pause_writing()
        if self._connection is not None:
            self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Note that the transport's buffer is below its low-water mark."""
        super().resume_writing()
        if self._connection is not None:
            self._connection.resume_writing()
