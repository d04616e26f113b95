"""Two asyncio transports joined in memory: no socket, no file descriptor, no time passes.

They keep the contract of :class:`asyncio.Transport`, and the order of calls, as the stock loop's
do on TCP: every call to a protocol but `pause_writing` comes from the loop, the wire holds so much
and no more, `connection_lost` is the last call, and what reaches a side that is closed is answered
with a reset.
"""

from __future__ import annotations

import asyncio
import errno
from typing import Any

__all__ = ["MemoryTransport", "join"]

#: Bytes that are on their way at most, in each direction, as in a socket's buffers.
CAPACITY = 1 << 16

CLIENT_ADDRESS = ("127.0.0.1", 49152)
SERVER_ADDRESS = ("127.0.0.1", 80)


def join(
    client: asyncio.Protocol, server: asyncio.Protocol
) -> tuple[MemoryTransport, MemoryTransport]:
    """Connect two protocols in memory.

    Example::

        reader = asyncio.StreamReader()
        join(asyncio.StreamReaderProtocol(reader), EchoProtocol())

    Args:
        client: the protocol whose address is shown as a client's.
        server: the other.

    Returns:
        The client's transport and the server's. `connection_made` was called on both protocols,
        the server's first.
    """
    loop = asyncio.get_running_loop()
    client_side = MemoryTransport(loop, client, CLIENT_ADDRESS, SERVER_ADDRESS)
    server_side = MemoryTransport(loop, server, SERVER_ADDRESS, CLIENT_ADDRESS)
    client_side.peer, server_side.peer = server_side, client_side
    server.connection_made(server_side)
    client.connection_made(client_side)
    return client_side, server_side


class MemoryTransport(asyncio.Transport):
    """One side of a connection in memory; :func:`join` makes two.

    Args:
        loop: the event loop.
        protocol: what is called; through `data_received`, even if it is a buffered one.
        address: this side's, as ``get_extra_info("sockname")`` gives it.
        peer_address: the other's, as ``get_extra_info("peername")`` gives it.
    """

    peer: MemoryTransport

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.Protocol,
        address: tuple[str, int],
        peer_address: tuple[str, int],
    ) -> None:
        super().__init__({"sockname": address, "peername": peer_address})
        self._loop = loop
        self._protocol: asyncio.BaseProtocol = protocol
        self._unsent = bytearray()  # what the wire has no room for
        self._arrived = bytearray()  # on the wire to this side
        # What stands behind that: the end of the stream, or a reset.
        self._end_arrived = self._end_is_reset = False
        self._end_seen = False
        self._turn: asyncio.Handle | None = None
        self._reading_paused = self._writing_paused = False
        self._high, self._low = 1 << 16, 1 << 14
        self._eof_written = False
        self._closing = False
        self._losing = False  # `connection_lost` is called, or about to be
        self._gone = False  # it has been: the socket would be closed by now
        self._resets = False

    # What a protocol or an application calls --------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes; nothing happens if the transport is closing.

        Raises:
            RuntimeError: after :meth:`write_eof`.
        """
        if self._eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._closing or not data:
            return
        self._unsent += data
        self._fill_wire()
        if len(self._unsent) > self._high and not self._writing_paused:
            self._writing_paused = True
            self._protocol.pause_writing()

    def write_eof(self) -> None:
        """Send the end of the stream; reading goes on."""
        if not self._closing and not self._eof_written:
            self._eof_written = True
            self._fill_wire()

    def can_write_eof(self) -> bool:
        """Return True, as on TCP."""
        return True

    def close(self) -> None:
        """Stop reading, send what is not yet sent, then close."""
        if not self._closing:
            self._closing = True
            self._fill_wire()

    def abort(self) -> None:
        """Close at once; what is not yet on the wire is lost."""
        self._lose_soon(None)

    def reset(self) -> None:
        """Close at once, and let the peer see a reset behind what is on the wire."""
        self._resets = True
        self._lose_soon(None)

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._closing

    def pause_reading(self) -> None:
        """Let the wire fill."""
        self._reading_paused = True

    def resume_reading(self) -> None:
        """Go on reading."""
        self._reading_paused = False
        self._take_turn()

    def is_reading(self) -> bool:
        """Whether bytes that arrive are passed on."""
        return not self._reading_paused and not self._closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set above which number of unsent bytes the protocol is paused, and below which not.

        Raises:
            ValueError: unless ``high >= low >= 0``.
        """
        if high is None:
            high = 1 << 16 if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high limit, in this order."""
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the wire had no room for."""
        return len(self._unsent)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Call another protocol from now on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that is called."""
        return self._protocol

    # The wire ---------------------------------------------------------------------------

    def _fill_wire(self) -> None:
        """Put on the wire what it has room for, and behind the last byte the end."""
        peer = self.peer
        if peer._gone:
            if self._unsent:
                self._lose_soon(_reset_error())
        elif self._unsent and len(peer._arrived) < CAPACITY:
            room = CAPACITY - len(peer._arrived)
            peer._arrived += self._unsent[:room]
            del self._unsent[:room]
            peer._take_turn()
        if self._unsent:
            return
        if self._closing:
            self._lose_soon(None)
        elif self._eof_written:
            peer._receive_end(False)

    def _receive_end(self, is_reset: bool) -> None:
        """Take what comes behind the last byte."""
        self._end_arrived = True
        self._end_is_reset = self._end_is_reset or is_reset
        self._take_turn()

    def _take_turn(self) -> None:
        """Look at the wire, in the next turn of the loop."""
        if self._turn is None and not self._losing:
            self._turn = self._loop.call_soon(self._look)

    def _look(self) -> None:
        """Do what a loop does for a socket that is ready: one write, one read."""
        self._turn = None
        if self._losing:
            return
        if self._unsent:
            self._fill_wire()
        if self._writing_paused and len(self._unsent) <= self._low:
            self._writing_paused = False
            self._protocol.resume_writing()
        if not self.is_reading():
            return
        try:
            self._read()
        except Exception as exc:
            self._loop.call_exception_handler(
                {
                    "message": "Fatal error: the protocol failed to take what was received",
                    "exception": exc,
                    "transport": self,
                    "protocol": self._protocol,
                }
            )
            self._lose_soon(exc)

    def _read(self) -> None:
        """Pass on what has arrived: bytes, or else the end."""
        protocol: Any = self._protocol  # its kind is whoever joined it to answer for
        if self._arrived:
            data = bytes(self._arrived)
            self._arrived.clear()
            self.peer._take_turn()  # there is room now
            protocol.data_received(data)
            if self._end_arrived:
                self._take_turn()
        elif self._end_arrived and not self._end_seen:
            self._end_seen = True
            if self._end_is_reset:
                self._lose_soon(_reset_error())
            elif not protocol.eof_received():
                self.close()

    # The end ----------------------------------------------------------------------------

    def _lose_soon(self, exc: Exception | None) -> None:
        """Close, in the next turn of the loop."""
        self._closing = True
        self._unsent.clear()
        if not self._losing:
            self._losing = True
            self._loop.call_soon(self._lose, exc)

    def _lose(self, exc: Exception | None) -> None:
        try:
            self._protocol.connection_lost(exc)
        finally:
            self._gone = True
            # RFC 9293 §3.10.4: what nobody will read any more is answered with a reset.
            self.peer._receive_end(self._resets or bool(self._arrived))


def _reset_error() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
