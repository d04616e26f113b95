"""WebSocket connection for threads: receive, send, ping, close.

The base of :class:`~ws6455.sync.client_connection.ClientConnection` and
:class:`~ws6455.sync.server_connection.ServerConnection`. Every method may be called from any
thread. A thread that waits for a message reads the socket itself; otherwise the watcher reads.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal, Self, overload

from ..exceptions import ConnectionClosed, ConnectionClosedOK
from ..framing.frames import Close, truncate_reason
from ..protocol.roles import AnyProtocol
from ..protocol.states import OPEN
from ..typing import Data, DataLike
from .readiness import readiness
from .sending import SendingConnection
from .transport import NOT_READY
from .watcher import Watcher

__all__ = ["Connection"]

# Bytes read at once.
CHUNK = 1 << 16


class Connection(SendingConnection):
    """A connection; make one with `connect` or `serve`.

    Args:
        sock: a connected socket; the others are as in :class:`ws6455.aio.connection.Connection`.
    """

    def __init__(
        self,
        sock: socket.socket,
        protocol: AnyProtocol,
        *,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        max_queue: int | tuple[int | None, int | None] | None = 16,
    ) -> None:
        super().__init__(sock, protocol, ping_interval, ping_timeout, close_timeout, max_queue)
        self._readable = readiness(sock)
        self._ended = threading.Event()
        # True while a thread of the application reads the socket, or before anything may read.
        self._attended = True
        self._left_to_watcher = False  # True once the watcher was asked to read
        self._in_place = False  # True if a large payload may be received in place
        self._timer_at: float | None = None
        self._close_asked: tuple[int, str] | None = None  # by a signal handler, within a call
        self._watcher = Watcher.add(self)
        if protocol.state is OPEN:
            self._start()

    def _start(self) -> None:
        with self._lock:
            super()._start()
            self._attended = False
            self.ask_watcher()

    # Messages ---------------------------------------------------------------------------

    @overload
    def recv(self, timeout: float | None = None, *, decode: Literal[True]) -> str: ...
    @overload
    def recv(self, timeout: float | None, decode: Literal[True]) -> str: ...
    @overload
    def recv(self, timeout: float | None = None, *, decode: Literal[False]) -> bytes: ...
    @overload
    def recv(self, timeout: float | None, decode: Literal[False]) -> bytes: ...
    @overload
    def recv(self, timeout: float | None = None, decode: bool | None = None) -> Data: ...

    def recv(self, timeout: float | None = None, decode: bool | None = None) -> Data:
        """Receive a message; see :meth:`ws6455.aio.connection.Connection.recv`.

        TimeoutError, if there is none within `timeout` seconds, loses nothing. A timeout of 0 or
        less does not wait; None waits without limit.
        """
        with self._lock:
            if self._receiving:
                raise self._overlap("recv")
            if not self._has_message():
                self._receiving = "recv"
                try:
                    self._wait_for(self._has_message, timeout)
                finally:
                    self._receiving = ""
            return self._take_message(decode)

    def _has_message(self) -> bool:
        return bool(self._queue.messages)

    def _wait_for(self, there: Callable[[], bool], timeout: float | None) -> None:
        """Read until something is there; call with the lock, which is released meanwhile.

        Raises:
            TimeoutError: if it takes longer than `timeout` seconds.
            ConnectionClosed: if the connection is closed without it.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            while True:
                self._attended = True
                self._prepare_to_wait()
                left = None if deadline is None else deadline - time.monotonic()
                self._wait_readable(left)
                if there():
                    return
                if left is not None and left <= 0 and not self._io.lost:
                    raise TimeoutError(f"timed out in {timeout:g} s")
        finally:
            self._leave_to_watcher()

    def __iter__(self) -> Iterator[Data]:
        """Yield messages until the connection is closed with 1000 or 1001."""
        try:
            while True:
                yield self.recv()
        except ConnectionClosedOK:
            return

    def recv_streaming(self, decode: bool | None = None) -> Iterator[Data]:
        """Receive a message in pieces, as :class:`ws6455.aio.connection.Connection` does."""
        with self._lock:
            reader = self._begin_fragments(decode)
        try:
            while not reader.has_ended:
                with self._lock:
                    if not self._has_fragment():
                        self._wait_for(self._has_fragment, None)
                    piece = self._take_fragment(reader)
                yield piece
        finally:
            self._end_fragments(reader)

    # Pings and pongs ---------------------------------------------------------------------

    def ping(self, data: DataLike | None = None, *, ack_on_close: bool = False) -> threading.Event:
        """Send a ping; see :meth:`ws6455.aio.connection.Connection.ping`.

        Returns:
            An event that the pong sets; `latency` is then its latency in seconds. With
            `ack_on_close` the end of the connection sets it as well.
        """
        pong_received = threading.Event()
        with self._lock:
            if can_send := self._can_send_control():
                self._send_ping(data, (pong_received, ack_on_close))
                if not self._attended:
                    self.ask_watcher()
        if not can_send:
            self._raise_closed()
        return pong_received

    def pong(self, data: DataLike = b"") -> None:
        """Send a pong that answers no ping; see :meth:`ws6455.aio.connection.Connection.pong`."""
        with self._lock:
            if can_send := self._can_send_control():
                self._send_pong(data)
        if not can_send:
            self._raise_closed()

    # The end of a connection ------------------------------------------------------------

    def close(self, code: int = 1000, reason: str = "", *, truncate: bool = False) -> None:
        """Close and wait for the end; see :meth:`ws6455.aio.connection.Connection.close`.

        A signal's handler may call it too; it waits as :meth:`wait_closed` does.
        """
        self.start_closing(code, reason, truncate=truncate)
        self.wait_closed()

    def start_closing(self, code: int = 1000, reason: str = "", *, truncate: bool = False) -> None:
        """Do as :meth:`close`, but do not wait."""
        if truncate:
            reason = truncate_reason(reason)
        if self._is_lock_held():
            Close(code, reason).serialize()  # raises
            self._close_asked = (code, reason)  # the watcher does it when the step is done
        else:
            with self._lock:
                self._close(code, reason)
                # A thread that was reading may be this very one, in a signal's handler.
                self._attended = False
        self.ask_watcher()

    def abort(self) -> None:
        """Close TCP at once."""
        with self._lock:
            self._abort()

    def wait_closed(self, timeout: float | None = None) -> bool:
        """Wait for the end of the connection and of TCP.

        Does not wait in a signal handler that has interrupted a call on this connection: that
        call has to continue first.

        Args:
            timeout: seconds to wait at most; None for no limit.

        Returns:
            True if it is closed.
        """
        return self._ended.wait(0 if self._is_lock_held() else timeout)

    def _is_lock_held(self) -> bool:
        """Return True if this thread holds the lock: a signal handler has interrupted a call."""
        with contextlib.suppress(RuntimeError):  # raised if this thread does not hold it
            threading.Condition(self._lock).notify()
            return True
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *rest: object) -> None:
        self.close(1000 if exc_type is None else 1011)

    # Reading ----------------------------------------------------------------------------

    def _wait_readable(self, timeout: float | None) -> None:
        """Wait until the socket is readable, and read it; call with the lock.

        The lock is released meanwhile, like that of a condition.

        Args:
            timeout: seconds to wait at most; None for no limit.
        """
        if self._io.has_decrypted() and self._read():
            return
        self._attended = True
        if self._wait_unlocked(self._readable, timeout) and not self._io.lost:
            self._read()

    def ask_watcher(self) -> None:
        """Have the watcher look after this connection at once."""
        self._watcher.check_now(self)

    def _leave_to_watcher(self) -> None:
        """Let the watcher read, now that no thread of the application does."""
        self._attended = False
        if not self._left_to_watcher:
            self._left_to_watcher = True
            self._watcher.check_soon(self)

    def _read(self) -> bool:
        """Read what the socket has; return True if there were bytes, or the end of the stream."""
        protocol = self.protocol
        try:
            buffer = protocol.receive_buffer() if self._in_place else None
            if buffer is not None:
                with buffer:
                    size = self.socket.recv_into(buffer)
                if size:
                    protocol.receive_in_place(size)
                    self._process_read()
                else:
                    self._receive_eof()
                return True
            self._in_place = False
            data = self.socket.recv(CHUNK)
        except NOT_READY:
            return False
        except OSError as exc:
            self._end(exc)
            return True
        if not data:
            self._receive_eof()
            return True
        protocol.receive_data(data)
        self._process_read()
        return True

    def _process_read(self) -> None:
        """Process what was received."""
        self._keepalive.heard = True
        if self.protocol.has_events:
            self._process_events()
            self._in_place = True
        if len(self._queue.messages) + len(self._queue.fragments) > 1:
            self._check_high_water_mark()
        if self._io.unsent:
            self._io.send_unsent()  # TLS may have had to read first

    def _receive_eof(self) -> None:
        protocol = self.protocol
        protocol.receive_eof()
        if protocol.state is OPEN:
            self._process_events()  # a violation waits for its turn, and the peer may still read
            return
        self._io.flush()
        if self._io.sending_ended:
            self._end()
        else:
            self._expect_close()

    # Called by the watcher --------------------------------------------------------------

    def handle_events(self) -> int:
        """Read and write, unless threads of the application do; return the events to wait for."""
        with self._lock:
            if self._io.lost:
                return 0
            if self._close_asked is not None:
                asked, self._close_asked = self._close_asked, None
                self._close(*asked)
                self._attended = False
            if self._io.unsent:
                self._io.send_unsent()
            if self._is_to_be_read():
                self._read()
                while self._is_to_be_read() and self._io.has_decrypted() and self._read():
                    pass  # the socket would not show that there is more
            self._left_to_watcher = not self._attended
            events = selectors.EVENT_READ if self._is_to_be_read() else 0
            if self._io.unsent and not self._io.senders:
                events |= selectors.EVENT_WRITE
            return events

    def _is_to_be_read(self) -> bool:
        return not (
            self._attended or self._reading_paused or self.protocol.eof_received or self._io.lost
        )

    def handle_timer(self) -> None:
        """Do what is due by the clock."""
        with self._lock:
            self._timer_at = None
            if self._io.lost:
                return
            if self._keepalive.is_waiting and self._has_unread():
                self._keepalive.heard = True  # the thread that should read was kept from running
            self._tick()

    def _has_unread(self) -> bool:
        """Return True if there are bytes that a thread is about to read."""
        about_to = not self._reading_paused and not self.protocol.eof_received
        return about_to and self.socket.fileno() >= 0 and readiness(self.socket)(0)

    def socket_lost(self, exc: Exception) -> None:
        """End the connection: the watcher cannot watch the socket."""
        with self._lock:
            self._end(exc)

    def call_failed(self, exc: Exception) -> None:
        """End the connection: a call of the watcher has raised an exception."""
        with self._lock:
            # The watcher serves all connections: not even this may raise.
            with contextlib.suppress(Exception):
                self.logger.error("connection failed", exc_info=exc)
            with contextlib.suppress(Exception):
                self._end(exc)

    def unwatched(self) -> bool:
        """Close the socket if the connection has ended; return True if it has."""
        with self._lock:
            self._close_unused_socket()
            return self._io.lost

    # What the base calls ----------------------------------------------------------------

    def _resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            if not self._attended:
                self.ask_watcher()

    def _abort(self) -> None:
        self._end()

    def _settle_ping(self, waiter: Any, outcome: float | ConnectionClosed) -> None:
        event, ack_on_close = waiter
        if ack_on_close or isinstance(outcome, float):
            event.set()

    def _reschedule(self) -> None:
        deadline = self._next_deadline()
        if deadline is None or self._io.lost:
            return
        if self._timer_at is None or deadline < self._timer_at:  # otherwise the timer fires early
            self._timer_at = deadline
            self._watcher.call_at(deadline, self)

    def _end(self, exc: BaseException | None = None) -> None:
        """End the connection, TCP included.

        Args:
            exc: the error that ended it, or None.
        """
        io = self._io
        if io.lost:
            return
        io.lost = io.sending_ended = True  # whatever happens below
        try:
            self._lose_transport(exc)
        finally:
            io.detach()
            # Wakes the threads that wait on it.
            with contextlib.suppress(OSError):
                io.shut_tcp(socket.SHUT_RDWR)
            self._ended.set()
            self.ask_watcher()
