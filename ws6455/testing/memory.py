"""Pairs of asyncio transports in memory, without sockets, file descriptors or delays.

They follow the contract of :class:`asyncio.Transport`, and the order of calls of the stock loop's
TCP transports. All calls to a protocol except `pause_writing` come from the loop. The capacity of
the wire is limited. `connection_lost` is the last call. Bytes that reach a closed side are
answered with a reset.
"""

from __future__ import annotations

import asyncio
import errno
from typing import Any

__all__ = ["MemoryTransport", "join"]

#: Maximum bytes in transit in each direction, as in a socket's buffers.
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
        client: the protocol of the client's side.
        server: the protocol of the server's side.

    Returns:
        The client's transport and the server's. `connection_made` has been called on both
        protocols, first on the server's.
    """
    loop = asyncio.get_running_loop()
    client_side = MemoryTransport(loop, client, CLIENT_ADDRESS, SERVER_ADDRESS)
    server_side = MemoryTransport(loop, server, SERVER_ADDRESS, CLIENT_ADDRESS)
    client_side.peer, server_side.peer = server_side, client_side
    server.connection_made(server_side)
    client.connection_made(client_side)
    return client_side, server_side


class MemoryTransport(asyncio.Transport):
    """One side of a connection in memory; :func:`join` creates both.

    Args:
        loop: the event loop.
        protocol: the protocol. `data_received` is called even if it is a buffered protocol.
        address: this side's address, the result of ``get_extra_info("sockname")``.
        peer_address: the peer's address, the result of ``get_extra_info("peername")``.
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
        self._unsent = bytearray()  # not on the wire yet
        self._arrived = bytearray()  # on the wire to this side
        # The end of the stream, or a reset, after those bytes.
        self._end_arrived = self._end_is_reset = False
        self._end_seen = False
        self._step: asyncio.Handle | None = None
        self._reading_paused = self._writing_paused = False
        self._high, self._low = 1 << 16, 1 << 14
        self._eof_written = False
        self._closing = False
        self._loss_scheduled = False
        self._lost = False  # after `connection_lost`, when a socket would be closed
        self._sends_reset = False

    # Methods for protocols and applications ---------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes; they are ignored if the transport is closing.

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
        """Send the end of the stream; reading continues."""
        if not self._closing and not self._eof_written:
            self._eof_written = True
            self._fill_wire()

    def can_write_eof(self) -> bool:
        """Return True, as on TCP."""
        return True

    def close(self) -> None:
        """Stop reading, send the unsent bytes, then close."""
        if not self._closing:
            self._closing = True
            self._fill_wire()

    def abort(self) -> None:
        """Close immediately; bytes not yet on the wire are lost."""
        self._schedule_loss(None)

    def reset(self) -> None:
        """Close immediately; the peer receives a reset after the bytes on the wire."""
        self._sends_reset = True
        self._schedule_loss(None)

    def is_closing(self) -> bool:
        """Return True if the transport is closing or closed."""
        return self._closing

    def pause_reading(self) -> None:
        """Pause reading; the wire fills up."""
        self._reading_paused = True

    def resume_reading(self) -> None:
        """Resume reading."""
        self._reading_paused = False
        self._schedule_step()

    def is_reading(self) -> bool:
        """Return True if arriving bytes are passed to the protocol."""
        return not self._reading_paused and not self._closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the high and low limits of unsent bytes for pausing and resuming the protocol.

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
        """Return the number of bytes that are not on the wire yet."""
        return len(self._unsent)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Set a new protocol."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the current protocol."""
        return self._protocol

    # The wire ---------------------------------------------------------------------------

    def _fill_wire(self) -> None:
        """Move unsent bytes to the wire, up to its capacity, and then the end of the stream."""
        peer = self.peer
        if peer._lost:
            if self._unsent:
                self._schedule_loss(_reset_error())
        elif self._unsent and len(peer._arrived) < CAPACITY:
            room = CAPACITY - len(peer._arrived)
            peer._arrived += self._unsent[:room]
            del self._unsent[:room]
            peer._schedule_step()
        if self._unsent:
            return
        if self._closing:
            self._schedule_loss(None)
        elif self._eof_written:
            peer._receive_end(False)

    def _receive_end(self, is_reset: bool) -> None:
        """Receive the end of the stream, or a reset, after the last byte."""
        self._end_arrived = True
        self._end_is_reset = self._end_is_reset or is_reset
        self._schedule_step()

    def _schedule_step(self) -> None:
        """Call :meth:`_run_step` in the next iteration of the loop."""
        if self._step is None and not self._loss_scheduled:
            self._step = self._loop.call_soon(self._run_step)

    def _run_step(self) -> None:
        """Write once and read once, like a loop for a socket that is ready."""
        self._step = None
        if self._loss_scheduled:
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
                    "message": "Fatal error: the protocol raised an exception",
                    "exception": exc,
                    "transport": self,
                    "protocol": self._protocol,
                }
            )
            self._schedule_loss(exc)

    def _read(self) -> None:
        """Pass the bytes that have arrived to the protocol, or the end of the stream."""
        protocol: Any = self._protocol  # the caller is responsible for its type
        if self._arrived:
            data = bytes(self._arrived)
            self._arrived.clear()
            self.peer._schedule_step()  # the wire has room now
            protocol.data_received(data)
            if self._end_arrived:
                self._schedule_step()
        elif self._end_arrived and not self._end_seen:
            self._end_seen = True
            if self._end_is_reset:
                self._schedule_loss(_reset_error())
            elif not protocol.eof_received():
                self.close()

    # The end ----------------------------------------------------------------------------

    def _schedule_loss(self, exc: Exception | None) -> None:
        """Close, and call `connection_lost` in the next iteration of the loop."""
        self._closing = True
        self._unsent.clear()
        if not self._loss_scheduled:
            self._loss_scheduled = True
            self._loop.call_soon(self._lose, exc)

    def _lose(self, exc: Exception | None) -> None:
        try:
            self._protocol.connection_lost(exc)
        finally:
            self._lost = True
            # RFC 9293 §3.10.4: bytes that are never read are answered with a reset.
            self.peer._receive_end(self._sends_reset or bool(self._arrived))


def _reset_error() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
