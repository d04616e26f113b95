"""I/O of a connection on an asyncio transport: writing, what waits for room, addresses.

Frames are written to the socket directly while nothing waits, which is quicker than through the
transport; docs/architecture.md has the figures.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

from ..framing.frames import LARGE
from ..protocol.protocol import SEND_EOF
from ..protocol.receive_queue import water_marks
from ..protocol.roles import AnyProtocol
from ..session.io import ConnectionIO
from .streams import StreamProtocol
from .tls import read_rest

__all__ = ["TransportIO"]

# Number of buffers that the system takes in one call.
_MAX_PARTS = 1024
# Size in bytes of what the stock loop's transport gets at once: up to Python 3.11 it copies what
# it cannot send.
_PIECE = 1 << 18
_STOCK_LOOP = "asyncio.selector_events"
# Transports of sockets without TLS; none where `os.write` takes no sockets.
_SOCKET_TRANSPORTS = (
    {
        (_STOCK_LOOP, "_SelectorSocketTransport"),
        ("uvloop.loop", "TCPTransport"),
        ("uvloop.loop", "UnixTransport"),
    }
    if os.name == "posix"
    else set()
)


def _is_socket_transport(transport: asyncio.Transport) -> bool:
    """Return True for the transport of a socket without TLS, on a loop that is known."""
    kind = type(transport)
    return (kind.__module__, kind.__name__) in _SOCKET_TRANSPORTS


class TransportIO(ConnectionIO):
    """I/O of a connection on an asyncio transport.

    Args:
        protocol: the connection without I/O.
        loop: the event loop.
        write_limit: bytes in the transport's buffer above which writing pauses, or that number
            and the one below which it resumes.

    Attributes:
        stream: the stream protocol that reads, if it can receive payloads in place.
    """

    # Slots: see docs/architecture.md.
    __slots__ = (
        "_backlog",
        "_backlog_size",
        "_fd",
        "_loop",
        "_own_fd",
        "_transport",
        "_write_limit",
        "_writer",
        "stream",
    )

    def __init__(
        self,
        protocol: AnyProtocol,
        loop: asyncio.AbstractEventLoop,
        write_limit: int | tuple[int, int | None],
    ) -> None:
        super().__init__(protocol)
        self._loop = loop
        self._write_limit = write_limit
        self.stream: StreamProtocol | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._transport: asyncio.Transport | None = None
        # The socket of the transport, to write to it directly; -1 while bytes wait in the
        # transport, which go first. `_own_fd` is -1 if there is no such socket.
        self._own_fd = self._fd = -1
        # Bytes that wait for the transport to have room. SEND_EOF may be the last.
        self._backlog: deque[bytes | memoryview] | None = None
        self._backlog_size = 0

    # The transport ----------------------------------------------------------------------

    def attach(self, writer: asyncio.StreamWriter, stream: StreamProtocol | None = None) -> None:
        """Take the writer of a stream pair.

        Args:
            writer: the writer.
            stream: the stream protocol that reads, if it can receive payloads in place.
        """
        self.stream = stream
        self._writer = writer
        self._transport = transport = cast(asyncio.Transport, writer.transport)
        high, low = water_marks(self._write_limit)
        transport.set_write_buffer_limits(high, low)
        if _is_socket_transport(transport):
            self._own_fd = transport.get_extra_info("socket").fileno()
            # The transport may have bytes to send, of an earlier HTTP response.
            self._fd = -1 if transport.get_write_buffer_size() else self._own_fd
        # A TLS transport forgets them when it closes.
        self.local_address: Any = transport.get_extra_info("sockname")
        self.remote_address: Any = transport.get_extra_info("peername")

    def read_rest(self) -> Iterator[bytes]:
        """Yield what had arrived on a plain socket when the transport was lost.

        asyncio closes the socket without reading it when a write fails.
        """
        if self._transport is not None and _is_socket_transport(self._transport):
            yield from read_rest(self._transport.get_extra_info("socket"))

    def detach(self) -> None:
        """Drop everything that waits: the transport is closed."""
        self._own_fd = self._fd = -1
        self._backlog, self._backlog_size = None, 0
        self.lost = self.sending_ended = True

    def hand_out(self) -> asyncio.Transport | None:
        """Return the asyncio transport; from now on everything is written through it.

        The caller may write to it, or close it, which the socket itself would not show.
        """
        self._own_fd = self._fd = -1
        if self._backlog:
            self._write_backlog()
        return self._transport

    def pause_reading(self) -> None:
        """Stop reading, unless the transport closes."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again, unless the transport closes."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close the transport at once."""
        # One that is closed cannot be aborted: asyncio's may have forgotten its loop by then.
        if self._transport is not None and not self.lost:
            self._transport.abort()

    def can_write_eof(self) -> bool:
        """Return True if the sending side can be closed alone; TLS closes both sides at once."""
        return self._writer is not None and self._writer.can_write_eof()

    # Writing ----------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what the protocol has to send, to the socket if it is free."""
        protocol = self._protocol
        if self._fd < 0 and not self._can_write_directly():
            self._flush_to_transport()
            return
        writes = protocol.take_writes()
        if len(writes) == 1:
            data = writes[0]
        elif writes and len(writes[-1]) < LARGE:
            data = b"".join(writes)
        else:
            if writes:
                self._write_parts(writes)
            if protocol.eof_due:
                self._end_sending()
            return
        try:
            sent = os.write(self._fd, data)
        except OSError:
            sent = 0  # full or broken: the transport finds out as well, and handles it
        if sent != len(data):
            self._write_rest([data], sent)
        if protocol.eof_due:
            self._end_sending()

    def _can_write_directly(self) -> bool:
        """Return True if the transport has sent all it had, so that its socket may be used."""
        if self._own_fd < 0 or self._backlog or self._transport is None:
            return False
        if self._transport.get_write_buffer_size():
            return False
        self._fd = self._own_fd
        return True

    def _write_parts(self, writes: list[bytes]) -> None:
        """Write to the socket without joining the parts."""
        try:
            sent = os.writev(self._fd, writes[:_MAX_PARTS])
        except OSError:
            sent = 0  # as in flush()
        self._write_rest(writes, sent)

    def _flush_to_transport(self) -> None:
        """Write through the transport: its socket is not to be used, or bytes wait in it."""
        protocol = self._protocol
        if self._transport is None:
            return
        if self.writing_paused and protocol.pongs_due and protocol.hold_pongs():
            return
        writes = protocol.take_writes()
        if len(writes) > 1 and len(writes[-1]) < LARGE:
            writes = [b"".join(writes)]
        self._write_rest(writes, 0)
        if protocol.eof_due:
            self._end_sending()

    def _write_rest(self, writes: list[bytes], sent: int) -> None:
        """Give the transport what the socket has not taken.

        Args:
            writes: bytes to write.
            sent: number of bytes, from the start, that were sent.
        """
        rest: list[bytes | memoryview] = [*writes]
        while rest and sent >= len(rest[0]):
            sent -= len(rest.pop(0))
        transport = self._transport
        assert transport is not None
        if not rest or transport.is_closing() or self._socket_is_closing():
            return  # asyncio logs a warning for each write to a transport that is closing
        if sent:
            rest[0] = memoryview(rest[0])[sent:]
        size = sum(map(len, rest))
        self._given += size
        self._fd = -1
        if self._own_fd < 0 and len(rest) > 1 and type(transport).__module__ != _STOCK_LOOP:
            transport.writelines(rest)
            return
        # Up to Python 3.11 the stock loop would join them, and then forget to pause.
        if self._backlog is None:
            self._backlog = deque()
        self._backlog += rest
        self._backlog_size += size
        self._write_backlog()

    def _socket_is_closing(self) -> bool:
        """Return True if the transport under TLS is closing, which that of TLS shows later."""
        beneath = None if self.stream is None else self.stream.socket_transport
        return beneath is not None and beneath.is_closing()

    def _write_backlog(self) -> None:
        """Give the transport the backlog, until it has no room left."""
        transport, backlog = self._transport, self._backlog
        assert transport is not None
        in_pieces = self._own_fd >= 0 and self.stream is not None
        while backlog and not (in_pieces and self.writing_paused):
            data = backlog.popleft()
            if data == SEND_EOF:
                # Later: a transport cannot be closed while it calls resume_writing().
                self._loop.call_soon(self._close_sending)
                break
            if in_pieces and len(data) > _PIECE:
                data = memoryview(data)
                backlog.appendleft(data[_PIECE:])
                data = data[:_PIECE]
            self._backlog_size -= len(data)
            transport.write(data)
        if not backlog:
            self._backlog = None

    def resume_writing(self) -> bool:
        """Write the backlog: the transport has room again.

        Returns:
            True if there is still room.
        """
        self.writing_paused = False
        if self._backlog:
            self._write_backlog()
        return not self.writing_paused

    async def drain(self) -> None:
        """Wait until the transport has room.

        Raises:
            OSError: if the transport is closed.
        """
        assert self._writer is not None
        await self._writer.drain()
        while self._backlog:  # it has used the room
            await self._writer.drain()

    def unsent_bytes(self) -> int:
        """Return the number of bytes in the transport's buffer and the backlog."""
        if self._transport is None:
            return 0
        return self._transport.get_write_buffer_size() + self._backlog_size

    # The end of sending -----------------------------------------------------------------

    def _end_sending(self) -> None:
        """Close the sending side after everything that waits to be written."""
        if not self._protocol.take_eof():
            return
        if self._backlog:
            self._backlog.append(SEND_EOF)
        elif self._own_fd >= 0 and self.stream is not None and self.unsent_bytes():
            # The stock loop would shut the socket down once it has sent them, and log a traceback
            # if the peer has gone by then. Have it report that they are sent instead.
            self._backlog = deque([SEND_EOF])
            assert self._transport is not None
            self._transport.set_write_buffer_limits(0)
        else:
            self._close_sending()

    def _close_sending(self) -> None:
        """Close the sending side; close the transport if the peer has closed its side, or TLS."""
        writer = self._writer
        assert writer is not None
        if writer.is_closing():
            return
        if self._protocol.eof_received or not writer.can_write_eof():
            writer.close()
        else:
            with contextlib.suppress(OSError):  # the peer has gone, as reading will find out
                writer.write_eof()
            self.sending_ended: bool = True

    def flush_backlog_at_eof(self) -> bool:
        """Write the backlog to a peer that has closed its side; return False if there is none."""
        if not self._backlog:
            return False
        self.flush()  # the end of the stream after it: asyncio would close at once
        return True
