"""An asyncio stream pair that hands bytes to a connection the moment they arrive.

Floor 5, asyncio. Still a :class:`asyncio.StreamReader` and :class:`asyncio.StreamWriter` over
any loop's transport; but no second task stands between the socket and the parser, so that a
ping is answered and a close noticed while the application is busy, and a message costs one
wake-up.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, SupportsIndex, cast

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["ConnectionReader", "StreamProtocol"]

BUFFER_SIZE = 1 << 16

# One buffer for all connections of a loop: it is emptied as soon as it is filled. Without it the
# stock loop allocates and frees 256 KiB for every read, however small.
_BUFFERS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = (
    weakref.WeakKeyDictionary()
)


def _shared_buffer(loop: asyncio.AbstractEventLoop) -> memoryview:
    buffer = _BUFFERS.get(loop)
    if buffer is None:
        buffer = _BUFFERS[loop] = memoryview(bytearray(BUFFER_SIZE))
    return buffer


class ConnectionReader(asyncio.StreamReader):
    """A stream reader that keeps nothing: what it is fed, its connection takes."""

    connection: Connection | None = None

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        """Give bytes to the connection."""
        if self.connection is not None:
            self.connection.receive(bytes(data))


class StreamProtocol(asyncio.StreamReaderProtocol, asyncio.BufferedProtocol):
    """What a transport calls: bytes into the shared buffer, and the rest to the connection.

    Args:
        loop: the event loop.
        connected: called with the stream pair when the transport is there, after the TLS
            handshake if there is one.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: Callable[[StreamProtocol, asyncio.StreamWriter], None],
    ) -> None:
        # asyncio keeps a weak reference alone; this one lasts as long as the transport.
        self.reader = ConnectionReader(loop=loop)
        super().__init__(self.reader, loop=loop)
        self._connected = connected
        self._buffer = _shared_buffer(loop)
        self._event_loop = loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Make the stream pair."""
        super().connection_made(transport)
        transport = cast(asyncio.Transport, transport)
        self._connected(self, asyncio.StreamWriter(transport, self, self.reader, self._event_loop))

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to receive."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on what was received."""
        self.reader.feed_data(bytes(self._buffer[:nbytes]))

    def eof_received(self) -> bool:
        """Pass on the end of the stream; return whether to keep the transport open."""
        connection = self.reader.connection
        return connection is not None and connection.receive_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on the end of the transport."""
        super().connection_lost(exc)
        connection, self.reader.connection = self.reader.connection, None
        if connection is not None:
            connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """Note that the transport's buffer is above its high-water mark."""
        super().pause_writing()
        if self.reader.connection is not None:
            self.reader.connection.pause_writing()

    def resume_writing(self) -> None:
        """Note that the transport's buffer is below its low-water mark."""
        super().resume_writing()
        if self.reader.connection is not None:
            self.reader.connection.resume_writing()
