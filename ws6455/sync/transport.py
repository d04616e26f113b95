"""A session on a socket and threads: its bytes in and out, its end, its timer.

What :class:`~ws6455.sync.connection.Connection` stands on.

A thread that waits for a message reads the socket itself; while none does the watcher reads. The
lock, and the writing half, are in :mod:`ws6455.sync.writing`.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Any

from ..exceptions import ConnectionClosed
from ..protocol.states import OPEN
from .readiness import readiness
from .watcher import Watcher
from .writing import NOT_NOW, WritingSession

__all__ = ["SocketSession"]

CHUNK = 1 << 16


class SocketSession(WritingSession):
    """What threads and the watcher call, and what the session asks of a socket.

    Args:
        sock, rest: see :class:`~ws6455.sync.writing.WritingSession`.
    """

    def __init__(self, sock: socket.socket, *rest: Any) -> None:
        super().__init__(sock, *rest)
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # a Unix socket has no such option
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._local_address = sock.getsockname()
        with contextlib.suppress(OSError):  # the peer may have gone
            self._remote_address = sock.getpeername()
        self._readable = readiness(sock)
        self._ended = threading.Event()
        # Whether a thread of the application reads the socket, or nobody is to read it yet.
        self._attended = True
        self._looked_after = False  # whether the watcher knows that none does
        self._large_payload = False  # whether one may be received in place
        self._timer_at: float | None = None
        self._close_asked: tuple[int, str] | None = None  # within a step that has to end first
        self._watcher = Watcher.add(self)

    # Reading ----------------------------------------------------------------------------

    def _wait_readable(self, timeout: float | None) -> None:
        """Wait until the socket is readable, and read it; call with the lock.

        The lock is free while it waits, as with a condition.

        Args:
            timeout: seconds to wait at most; None for any.
        """
        if self._has_decrypted() and self._read():
            return
        self._attended = True
        if self._wait_unlocked(self._readable, timeout) and not self._transport_lost:
            self._read()

    def _has_decrypted(self) -> bool:
        """Whether TLS holds bytes, which no waiting on the socket would tell."""
        return self._is_tls and self.socket.pending() > 0  # type: ignore[attr-defined]  # SSLSocket's

    def _ask_watcher(self) -> None:
        self._watcher.look_now(self)

    def _leave_alone(self) -> None:
        """Let the watcher read, now that no thread of the application does."""
        self._attended = False
        if not self._looked_after:
            self._looked_after = True
            self._watcher.look_soon(self)

    def _read(self) -> bool:
        """Take what the socket has; return whether there was anything, if only the end."""
        try:
            if (
                self._large_payload
                and not self._dropping
                and (room := self.protocol.room()) is not None
            ):
                with room:
                    size = self.socket.recv_into(room)
                if size:
                    self.protocol.receive_in_place(size)
                    self._take_note()
                else:
                    self._receive_eof()
                return True
            self._large_payload = False
            data = self.socket.recv(CHUNK)
        except NOT_NOW:
            return False
        except OSError as exc:
            self._end(exc)
            return True
        if not data:
            self._receive_eof()
            return True
        self._receive(data)
        self._take_note()
        return True

    def _take_note(self) -> None:
        """Do what the bytes received call for."""
        self._heard = True
        if self.protocol.attention:
            self._attend()
        if len(self._messages) > 1:
            self._check_high_water_mark()
        if self._unsent:
            self._send_unsent()  # TLS may have had to read first

    def _attend(self) -> None:
        super()._attend()
        self._large_payload = not self._dropping

    def _receive_eof(self) -> None:
        protocol = self.protocol
        protocol.receive_eof()
        if protocol.state is OPEN:
            self._attend()  # a violation waits for its turn, and the peer may still read
            return
        self._flush()
        if self._sending_ended:
            self._end()
        else:
            self._expect_close()

    # What the watcher calls -------------------------------------------------------------

    def look_after(self) -> int:
        """Read and write, unless threads of the application do; return what to wait for."""
        with self._lock:
            if self._transport_lost:
                return 0
            if self._close_asked is not None:
                asked, self._close_asked = self._close_asked, None
                self._close(*asked)
                self._attended = False
            if self._unsent:
                self._send_unsent()
            if self._is_to_be_read():
                self._read()
                while self._is_to_be_read() and self._has_decrypted() and self._read():
                    pass  # nothing else would tell that there is more
            self._looked_after = not self._attended
            events = selectors.EVENT_READ if self._is_to_be_read() else 0
            if self._unsent and not self._senders:
                events |= selectors.EVENT_WRITE
            return events

    def _is_to_be_read(self) -> bool:
        return not (
            self._attended
            or self._reading_paused
            or self.protocol.eof_received
            or self._transport_lost
        )

    def keep_time(self) -> None:
        """Do what is due by the clock."""
        with self._lock:
            self._timer_at = None
            if self._transport_lost:
                return
            if self._silent_since is not None and self._has_unread():
                self._heard = True  # whoever is to read it was kept from running
            self._tick()

    def _has_unread(self) -> bool:
        """Whether there are bytes that somebody is about to read."""
        about_to = not self._reading_paused and not self.protocol.eof_received
        return about_to and self.socket.fileno() >= 0 and readiness(self.socket)(0)

    def lose_socket(self, exc: Exception) -> None:
        """End, since the watcher cannot watch the socket."""
        with self._lock:
            self._end(exc)

    def break_down(self, exc: Exception) -> None:
        """End, since a call of the watcher has raised what it never should."""
        with self._lock:
            # Nothing that befalls one connection may reach others: not even this may raise.
            with contextlib.suppress(Exception):
                self.logger.error("connection failed", exc_info=exc)
            with contextlib.suppress(Exception):
                self._end(exc)

    def left_by_watcher(self) -> bool:
        """Close the socket if the connection has ended; return whether it has."""
        with self._lock:
            self._close_if_through()
            return self._transport_lost

    # What the session asks for ----------------------------------------------------------

    def _abort(self) -> None:
        self._end()

    def _pause_reading(self) -> None:
        """Stop reading: the watcher asks before it reads."""

    def _resume_reading(self) -> None:
        if not self._attended:
            self._ask_watcher()

    def _settle_ping(self, waiter: Any, outcome: float | ConnectionClosed) -> None:
        event, ack_on_close = waiter
        if ack_on_close or isinstance(outcome, float):
            event.set()

    def _deadline_changed(self) -> None:
        deadline = self._next_deadline()
        if deadline is None or self._transport_lost:
            return
        if self._timer_at is None or deadline < self._timer_at:  # else it comes early
            self._timer_at = deadline
            self._watcher.call_at(deadline, self)

    # The end ----------------------------------------------------------------------------

    def _end(self, exc: BaseException | None = None) -> None:
        """End the connection, TCP included.

        Args:
            exc: the error that ended it.
        """
        if self._transport_lost:
            return
        self._transport_lost = self._sending_ended = True  # whatever comes of the rest
        try:
            self._lose_transport(exc)
        finally:
            self._drop_unsent()
            # Wakes whoever waits on it.
            with contextlib.suppress(OSError):
                self._shut_tcp(socket.SHUT_RDWR)
            self._ended.set()
            self._ask_watcher()

    def wait_closed(self, timeout: float | None = None) -> bool:
        """Wait until the connection is closed, TCP included.

        In a signal's handler that has interrupted a call on this connection, it does not wait:
        that call has to go on first.

        Args:
            timeout: seconds to wait at most; None for any.

        Returns:
            Whether it is closed.
        """
        return self._ended.wait(0 if self._is_within_step() else timeout)

    def _is_within_step(self) -> bool:
        """Whether this thread has the lock: this is a signal's handler, which came in between."""
        try:
            threading.Condition(self._lock).notify()
        except RuntimeError:
            return False  # as a condition says of a lock that another thread has, or none
        return True
