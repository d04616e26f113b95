"""Reading of the PROXY protocol's header from an accepted socket, before TLS and the handshake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from ..exceptions import InvalidMessage
from ..server.proxy_protocol import ProxyHeaderReader, SourceAddress

__all__ = ["ProxyHeaderProtocol"]


class ProxyHeaderProtocol(asyncio.BufferedProtocol):
    """Protocol of an accepted socket: reads the header, then hands the transport over.

    It is a BufferedProtocol so that the transport reads no byte beyond the header: such a byte
    would be lost for TLS.

    Args:
        is_expected: returns whether a peer must send a header; called with its address.
        next_protocol: returns the protocol that gets the transport; called with the client's
            address in the header, or None.
        timeout: seconds for the header; None for no limit.
        started: called with this object when there is a transport.
        ended: called with this object once the header was read, and with the error if not.
    """

    def __init__(
        self,
        is_expected: Callable[[Any], bool],
        next_protocol: Callable[[SourceAddress | None], asyncio.BaseProtocol],
        timeout: float | None,
        started: Callable[[ProxyHeaderProtocol], None],
        ended: Callable[[ProxyHeaderProtocol, Exception | None], None],
    ) -> None:
        self._is_expected = is_expected
        self._next_protocol = next_protocol
        self._timeout = timeout
        self._started = started
        self._ended = ended
        self._error: Exception | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport
        self._reader = ProxyHeaderReader()
        self._buffer = memoryview(bytearray(self._reader.max_missing))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the header; hand the transport over at once if none is expected."""
        self._transport = cast(asyncio.Transport, transport)
        if not self._is_expected(transport.get_extra_info("peername")):
            self._hand_over(None)
            return
        if self._timeout is not None:
            loop = asyncio.get_running_loop()
            error = TimeoutError("no PROXY header in time")
            self._timer = loop.call_later(self._timeout, self._fail, error)
        self._started(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return a buffer of the size of what is missing."""
        return self._buffer[: self._reader.missing]

    def buffer_updated(self, nbytes: int) -> None:
        """Parse what was received."""
        try:
            self._reader.feed(self._buffer[:nbytes])
        except InvalidMessage as exc:
            self._fail(exc)
            return
        if not self._reader.missing:
            self._hand_over(self._reader.source)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end of the transport."""
        self._end(self._error or exc or ConnectionError("stream ends before the PROXY header"))

    def abort(self) -> None:
        """Close the socket at once."""
        self._fail(ConnectionAbortedError("server closing"))

    def _fail(self, exc: Exception) -> None:
        self._error = exc
        self._transport.abort()

    def _end(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._ended(self, exc)

    def _hand_over(self, source: SourceAddress | None) -> None:
        self._end(None)
        transport = self._transport
        protocol = self._next_protocol(source)
        # uvloop looks at the kind of the protocol when it starts to read.
        transport.pause_reading()
        transport.set_protocol(protocol)
        transport.resume_reading()
        protocol.connection_made(transport)
