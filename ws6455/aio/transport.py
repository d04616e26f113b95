"""A session on an asyncio transport: its bytes in and out, its end, its timer.

What :class:`~ws6455.aio.connection.Connection` stands on. What the bytes mean, and what is due by
the clock, is decided below, in the protocol and the session.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from ..exceptions import ConnectionClosed
from ..framing.frames import CloseCode
from ..protocol.client import ClientProtocol
from ..protocol.protocol import SEND_EOF
from ..protocol.receiver import LARGE
from ..protocol.server import ServerProtocol
from ..protocol.states import OPEN
from ..session.connection import Endpoint
from ..session.receive_queue import water_marks
from .waiter import Waiter

if TYPE_CHECKING:
    from .streams import StreamProtocol

__all__ = ["TransportSession"]

# What the system takes at once.
_MAX_PARTS = 1024
# What the stock loop's transport gets at once: up to Python 3.11 it copies what it cannot send.
_PIECE = 1 << 18
_STOCK_LOOP = "asyncio.selector_events"
# The transports of sockets without TLS.
_OF_SOCKETS = {
    (_STOCK_LOOP, "_SelectorSocketTransport"),
    ("uvloop.loop", "TCPTransport"),
    ("uvloop.loop", "UnixTransport"),
}


class TransportSession(Endpoint):
    """What an asyncio transport calls, and what the session asks of it.

    Args:
        protocol: the connection without I/O.
        write_limit: see :class:`~ws6455.aio.connection.Connection`.
        policy: see :class:`~ws6455.session.keepalive.Session`.
    """

    # So many attributes are faster in slots. A subclass may have any other.
    __slots__ = (
        "_backlog",
        "_backlog_size",
        "_closed_waiter",
        "_fd",
        "_opened_waiter",
        "_own_fd",
        "_recv_waiter",
        "_stream",
        "_timer",
        "_timer_at",
        "_transport",
        "_write_limit",
        "_writer",
        "loop",
    )

    runs_in = "coroutine"

    def __init__(
        self,
        protocol: ClientProtocol | ServerProtocol,
        write_limit: int | tuple[int, int | None],
        *policy: Any,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        # A loop's own clock may stand still for a whole turn, or tick in milliseconds.
        super().__init__(protocol, time.monotonic, *policy)
        self._write_limit = write_limit
        self._stream: StreamProtocol | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._transport: asyncio.Transport | None = None
        # The socket that the transport writes to, whose own way there costs as much as all of a
        # small frame; and the same, until the transport is given bytes that come first.
        self._own_fd = self._fd = -1
        # What waits for that transport to have room; in the end perhaps the end of the stream.
        self._backlog: deque[bytes | memoryview] | None = None
        self._backlog_size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0  # while there is a timer
        self._recv_waiter = Waiter(self.loop)
        self._opened_waiter: asyncio.Future[None] | None = None
        self._closed_waiter: asyncio.Future[None] | None = None

    # From the transport -----------------------------------------------------------------

    def attach(self, writer: asyncio.StreamWriter, stream: StreamProtocol | None = None) -> None:
        """Take the stream pair's writer; whoever reads calls :meth:`receive` from now on.

        Args:
            writer: the writer.
            stream: who reads, if it can receive large payloads in place.
        """
        self._stream = stream
        self._writer = writer
        self._transport = transport = cast(asyncio.Transport, writer.transport)
        high, low = water_marks(self._write_limit)
        transport.set_write_buffer_limits(high, low)
        kind = type(transport)
        if os.name == "posix" and (kind.__module__, kind.__name__) in _OF_SOCKETS:
            self._own_fd = self._fd = transport.get_extra_info("socket").fileno()
        # A TLS transport forgets them when it closes.
        self._local_address = transport.get_extra_info("sockname")
        self._remote_address = transport.get_extra_info("peername")

    def receive(self, data: bytes | memoryview) -> None:
        """Take bytes from the transport."""
        protocol = self.protocol
        if self._dropping:
            self._receive_and_drop(data)
        else:
            protocol.receive_data(data)
        self._heard = True
        if protocol.attention:
            self._attend()
        if (messages := self._messages) and not self._recv_waiter.wake() and len(messages) > 1:
            self._check_high_water_mark()

    def receive_in_place(self, size: int) -> None:
        """Take bytes from the transport that are where :meth:`_attend` has asked for them."""
        self.protocol.receive_in_place(size)
        self.receive(b"")

    def receive_eof(self) -> bool:
        """Take the end of the stream; return whether there is still something to write."""
        self.protocol.receive_eof()
        if self.protocol.state is OPEN:
            self._attend()
            # TLS ends in both directions at once.
            return self._writer is not None and self._writer.can_write_eof()
        self._expect_close()
        if self._backlog:
            self._flush()  # the end of the stream behind it: asyncio would close at once
            return True
        return False

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take the end of the transport, with the error that ended it."""
        self._stream = None
        self._own_fd = self._fd = -1
        self._backlog, self._backlog_size = None, 0
        self._lose_transport(exc)
        self._deadline_changed()
        # Not at once: a program may end with the task that receives, and leave one that closes.
        self._recv_waiter.wake_soon()
        for waiter in (self._opened_waiter, self._closed_waiter):
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def resume_writing(self) -> None:
        """Note that there is room: first of all for what waits for it."""
        if self._backlog:
            self._writing_paused = False
            self._write_backlog()
            if self._writing_paused:
                return
        super().resume_writing()

    # What the session asks for ----------------------------------------------------------

    def _attend(self) -> None:
        super()._attend()
        if self._stream is not None and not self._dropping:
            room = self.protocol.room()
            if room is not None:
                self._stream.receive_into(room)

    def _flush(self) -> None:
        protocol = self.protocol
        if protocol.pongs_due or protocol.eof_due:
            self._flush_all()
            return
        writes = protocol.writes
        if not writes:
            return
        if len(writes) == 1:
            data = writes.pop()
        elif len(writes[-1]) < LARGE:
            data = b"".join(writes)
            writes.clear()
        else:
            protocol.writes = []
            self._write(writes)
            return
        sent = 0
        if self._fd >= 0 or self._has_drained():
            try:
                sent = os.write(self._fd, data)
            except OSError:
                sent = 0  # full or broken: the transport meets it too, and knows what to do
        if sent != len(data):
            self._write_rest([data], sent)

    def _flush_all(self) -> None:
        """Write frames, pongs before them, and the end of the stream behind them."""
        protocol = self.protocol
        writer = self._writer
        if writer is None:
            return
        if self._writing_paused and protocol.pongs_due and self._hold_pongs_back():
            return
        writes = protocol.take_writes()
        if not writes:
            return
        ends = writes[-1] == SEND_EOF
        if ends:
            writes.pop()
        if writes:
            self._write(writes)
        if ends and self._backlog:
            self._backlog.append(SEND_EOF)
        elif ends:
            self._close_sending(writer)

    def _write(self, writes: list[bytes]) -> None:
        sent = 0
        if self._fd >= 0 or self._has_drained():
            with contextlib.suppress(OSError):  # as above
                sent = os.writev(self._fd, writes[:_MAX_PARTS])
        self._write_rest(writes, sent)

    def _has_drained(self) -> bool:
        """Return whether the socket may be written to again: the transport has sent all it had."""
        if self._own_fd < 0 or self._backlog or self._transport is None:
            return False
        if self._transport.get_write_buffer_size():
            return False
        self._fd = self._own_fd
        return True

    def _write_rest(self, writes: list[bytes], sent: int) -> None:
        """Write through the transport what the socket itself has not taken."""
        rest: list[bytes | memoryview] = [*writes]
        while rest and sent >= len(rest[0]):
            sent -= len(rest.pop(0))
        transport = self._transport
        assert transport is not None
        if not rest or transport.is_closing():
            return  # asyncio complains of what comes when a transport is closing
        if sent:
            rest[0] = memoryview(rest[0])[sent:]
        size = sum(map(len, rest))
        self._written += size
        self._fd = -1
        if self._own_fd < 0 and len(rest) > 1 and type(transport).__module__ != _STOCK_LOOP:
            transport.writelines(rest)
            return
        # The stock loop joins them first up to Python 3.11, and then forgets to pause.
        if self._backlog is None:
            self._backlog = deque()
        self._backlog += rest
        self._backlog_size += size
        self._write_backlog()

    def _write_backlog(self) -> None:
        """Write through the transport, for as long as it has room if it says when it has none."""
        transport, backlog = self._transport, self._backlog
        assert transport is not None
        in_pieces = self._own_fd >= 0 and self._stream is not None
        while backlog and not (in_pieces and self._writing_paused):
            data = backlog.popleft()
            if not data:
                # The end. Soon: a transport cannot be closed while it says that there is room.
                assert self._writer is not None
                self.loop.call_soon(self._close_sending, self._writer)
                break
            if in_pieces and len(data) > _PIECE:
                data = memoryview(data)
                backlog.appendleft(data[_PIECE:])
                data = data[:_PIECE]
            self._backlog_size -= len(data)
            transport.write(data)
        if not backlog:
            self._backlog = None

    def _close_sending(self, writer: asyncio.StreamWriter) -> None:
        """Close TCP for sending, and wholly once the peer has; TLS can do that only at once."""
        if writer.is_closing():
            return
        if self.protocol.eof_received or not writer.can_write_eof():
            writer.close()
        else:
            writer.write_eof()
            self._stop_sending()

    def _abort(self) -> None:
        # One that has ended cannot be aborted: asyncio's may have forgotten its loop by then.
        if self._transport is not None and not self._transport_lost:
            self._transport.abort()

    def _pause_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _unsent_bytes(self) -> int:
        if self._transport is None:
            return 0
        return self._transport.get_write_buffer_size() + self._backlog_size

    def _settle_ping(self, waiter: Any, outcome: float | ConnectionClosed) -> None:
        if waiter.done():
            return  # cancelled
        if isinstance(outcome, float):
            waiter.set_result(outcome)
        else:
            waiter.set_exception(outcome)
            waiter.exception()  # not waiting for a pong is no error

    def _deadline_changed(self) -> None:
        deadline = self._next_deadline()
        if self._timer is not None:
            if deadline is not None and deadline >= self._timer_at:
                return  # it comes early, and looks again
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer_at = deadline
            self._timer = self.loop.call_later(deadline - self._clock(), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._tick()

    # What a connection shows ------------------------------------------------------------

    @property
    def transport(self) -> asyncio.Transport | None:
        """The asyncio transport; None before there is one.

        From the first look at it, everything goes out through it.
        """
        # Whoever has it may write to it and close it: the socket by itself would not know.
        self._own_fd = self._fd = -1
        if self._backlog:
            self._write_backlog()
        return self._transport

    # The end ----------------------------------------------------------------------------

    def go_away(self) -> None:
        """Close with 1001 and without waiting, for a task or a loop that is ending."""
        if self.protocol.state is OPEN:
            self._start_closing(CloseCode.GOING_AWAY, "")
        self._abort()

    async def wait_closed(self) -> None:
        """Wait until the connection is closed, TCP included."""
        if self._transport_lost:
            return
        if self._closed_waiter is None:
            self._closed_waiter = self.loop.create_future()
        await asyncio.shield(self._closed_waiter)
