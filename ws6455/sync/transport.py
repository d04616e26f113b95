"""A session on a socket and threads: its bytes in and out, its end, its timer.

Floor 5, threads. What :class:`~ws6455.sync.connection.Connection` stands on.

One lock guards a connection, and nobody waits for anything else while holding it. The socket does
not block: reading is one step under the lock, which any thread may take once the socket is
readable, and so is writing. A thread that waits for a message takes the steps itself; while none
does the watcher takes them. So two threads never use a TLS socket at once, either.
"""

from __future__ import annotations

import contextlib
import itertools
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from typing import Any

from ..errors import ConnectionClosed
from ..frames import CloseCode
from ..opening import ClientProtocol, ServerProtocol
from ..protocol import SEND_EOF, State
from ..session import Session
from .waiting import readiness
from .watcher import Watcher

__all__ = ["SocketSession"]

CHUNK = 1 << 16
# What the system takes at once.
_MAX_PARTS = 1024
# A socket that does not block says so in three ways.
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SocketSession(Session):
    """What threads and the watcher call, and what the session asks of a socket.

    Args:
        sock: a connected socket, TLS handshake done; from now on it is this object's.
        protocol, ping_interval, ping_timeout, close_timeout, max_queue: see
            :class:`~ws6455.session.Session`.
    """

    def __init__(
        self,
        sock: socket.socket,
        protocol: ClientProtocol | ServerProtocol,
        **policy: Any,
    ) -> None:
        super().__init__(protocol, time.monotonic, **policy)
        self.socket = sock
        self.watched_events = 0
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # a Unix socket has no such option
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._local_address: Any = sock.getsockname()
        self._remote_address: Any = None
        with contextlib.suppress(OSError):  # the peer may have gone
            self._remote_address = sock.getpeername()
        self._is_tls = hasattr(sock, "pending")  # TLS within TLS is no SSLSocket
        self._readable = readiness(sock)
        # Whoever calls from a signal's handler may have it already.
        self._lock = threading.RLock()
        self._ended = threading.Event()
        # Whether a thread of the application reads the socket, or nobody is to read it yet.
        self._attended = True
        self._looked_after = False  # whether the watcher knows that none does
        self._large_payload = False  # whether one may be received in place
        self._unsent: deque[bytes | memoryview] = deque()
        self._unsent_size = 0
        self._eof_unsent = False
        self._sending_blocked = False
        self._sending_ended = False
        self._senders = 0  # threads that wait for room
        self._waiting = 0  # threads that wait on the socket, and the watcher: it stays open
        self._transport_lost = False
        self._timer_at: float | None = None
        self._watcher = Watcher.add(self)

    # Reading ----------------------------------------------------------------------------

    def _wait_readable(self, timeout: float | None) -> None:
        """Wait until the socket is readable, and read it; call with the lock.

        The lock is free while it waits, as with a condition.

        Args:
            timeout: seconds to wait at most; None for any.
        """
        if self._is_tls and self.socket.pending():  # type: ignore[attr-defined]  # SSLSocket's
            self._read()
            return
        self._attended = True
        self._waiting += 1
        self._lock.release()
        try:
            ready = self._readable(timeout)
        finally:
            self._lock.acquire()
            self._waiting -= 1
            if self._transport_lost:
                self._close_socket()
        if ready and not self._transport_lost:
            self._read()

    def _leave_alone(self) -> None:
        """Let the watcher read, now that no thread of the application does."""
        self._attended = False
        if not self._looked_after:
            self._looked_after = True
            self._watcher.look_soon(self)

    def _read(self) -> None:
        """Take what the socket has."""
        try:
            if self._large_payload and (room := self.protocol.room()) is not None:
                with room:
                    size = self.socket.recv_into(room)
                if size:
                    self.protocol.receive_in_place(size)
                    self._take_note()
                else:
                    self._receive_eof()
                return
            self._large_payload = False
            data = self.socket.recv(CHUNK)
        except _NOT_NOW:
            return
        except OSError as exc:
            self._end(exc)
            return
        if not data:
            self._receive_eof()
            return
        if self._dropping:
            self._receive_and_drop(data)
        else:
            self.protocol.receive_data(data)
        self._take_note()

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
        if protocol.state is State.OPEN:
            self._attend()  # a violation waits for its turn, and the peer may still read
            return
        self._flush()
        if self._sending_ended:
            self._end()
        else:
            self._expect_close()

    # Writing ----------------------------------------------------------------------------

    def _flush(self) -> None:
        protocol = self.protocol
        if not self._unsent and not protocol.pongs_due and not protocol.eof_due:
            writes = protocol.writes
            if len(writes) == 1 and not self._sending_ended:
                # The case that counts for speed.
                data = writes.pop()
                try:
                    sent = self.socket.send(data)
                except _NOT_NOW:
                    sent = 0
                except OSError as exc:
                    self._break_sending(exc)
                    return
                if sent == len(data):
                    return
                writes.append(data[sent:])
        elif self._unsent and protocol.pongs_due:
            # §5.5.3: the latest ping alone needs an answer; it goes out when there is room.
            del protocol.pongs_due[:-1]
            if not protocol.writes and not protocol.eof_due:
                return
        self._queue(protocol.take_writes())

    def _queue(self, writes: list[bytes]) -> None:
        """Send frames, behind those that wait."""
        if not writes or self._sending_ended:
            return
        for data in writes:
            if data == SEND_EOF:
                self._eof_unsent = True
            else:
                self._unsent.append(data)
                self._unsent_size += len(data)
                self._written += len(data)
        self._send_unsent()
        if self._unsent and not self._senders:
            self._watcher.look_now(self)

    def _send_unsent(self) -> None:
        """Send as much as the socket has room for."""
        unsent = self._unsent
        while unsent:
            try:
                if self._is_tls or len(unsent) == 1 or not hasattr(self.socket, "sendmsg"):
                    sent = self.socket.send(unsent[0])
                else:
                    sent = self.socket.sendmsg(itertools.islice(unsent, _MAX_PARTS))
            except _NOT_NOW:
                self._sending_blocked = True
                if self._sent_then is None:
                    self._sent_then = self._sent_bytes()  # from here on, any more is progress
                return
            except OSError as exc:
                self._break_sending(exc)
                return
            self._unsent_size -= sent
            while unsent and sent >= len(unsent[0]):
                sent -= len(unsent.popleft())
            if sent:
                unsent[0] = memoryview(unsent[0])[sent:]
        if self._sending_blocked:
            self._sending_blocked = False
            self._heard = True  # the peer takes what it is sent
        if self.protocol.pongs_due:
            self._flush()
        elif self._eof_unsent:
            self._close_sending()

    def _close_sending(self) -> None:
        """Close TLS and TCP for sending, and wholly once the peer has."""
        self._eof_unsent = False
        self._sending_ended = True
        if self._is_tls:
            with contextlib.suppress(OSError, ValueError):  # the peer's answer is to come
                self.socket.unwrap()  # type: ignore[attr-defined]  # SSLSocket's
        with contextlib.suppress(OSError):
            self._shut_tcp(socket.SHUT_WR)
        if self.protocol.eof_received:
            self._end()
        else:
            self._expect_close()
            self._go_on_reading()  # the peer's end of file may stand behind what nobody takes

    def _shut_tcp(self, how: int) -> None:
        """Close TCP in one direction or in both."""
        if isinstance(self.socket, ssl.SSLSocket):
            # Its own way gives TLS up: what came encrypted would be read as it is.
            socket.socket.shutdown(self.socket, how)
        else:
            self.socket.shutdown(how)

    def _break_sending(self, exc: OSError) -> None:
        """Note that the peer takes no more; what it has sent before may still tell why."""
        if self.protocol.cause is None:
            exc.__traceback__ = None  # its frames refer to this connection
            self.protocol.cause = exc
        self._drop_unsent()
        self._sending_ended = True
        if self.protocol.eof_received:
            self._end()
        else:
            self._expect_close()
            self._go_on_reading()

    def _drop_unsent(self) -> None:
        self._unsent.clear()
        self._written -= self._unsent_size
        self._unsent_size = 0
        self._eof_unsent = False

    def _wait_sent(self) -> bool:
        """Wait until everything up to now is sent; call with the lock, which is free meanwhile.

        Returns:
            Whether it is; False if the connection cannot send any more.
        """
        mark = self._written
        self._senders += 1
        try:
            writable = readiness(self.socket, writing=True)
            while self._sent_bytes() < mark and not self._sending_ended:
                self._waiting += 1
                self._lock.release()
                try:
                    writable(None)
                finally:
                    self._lock.acquire()
                    self._waiting -= 1
                    if self._transport_lost:
                        self._close_socket()
                if not self._transport_lost:
                    self._send_unsent()
        finally:
            self._senders -= 1
            if self._unsent and not self._senders:
                self._watcher.look_now(self)
        return self._sent_bytes() >= mark

    # What the watcher calls -------------------------------------------------------------

    def look_after(self) -> int:
        """Read and write, unless threads of the application do; return what to wait for."""
        with self._lock:
            try:
                if not self._transport_lost and self._unsent:
                    self._send_unsent()
                if self._is_to_be_read():
                    self._read()
            except Exception as exc:
                # Nothing that one peer does may reach other connections.
                self.logger.error("connection failed", exc_info=True)
                self._end(exc)
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
            if not self._transport_lost:
                self._tick()

    def lose_socket(self, exc: Exception) -> None:
        """End, since the watcher cannot watch the socket."""
        with self._lock:
            self.watched_events = 0
            self._end(exc)

    def left_by_watcher(self) -> bool:
        """Close the socket if the connection has ended; return whether it has."""
        with self._lock:
            if self._transport_lost:
                self._close_socket()
            return self._transport_lost

    # What the session asks for ----------------------------------------------------------

    def _abort(self) -> None:
        self._end()

    def _pause_reading(self) -> None:
        """Stop reading: the watcher asks before it reads."""

    def _resume_reading(self) -> None:
        if not self._attended:
            self._watcher.look_now(self)

    def _unsent_bytes(self) -> int:
        return self._unsent_size

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

    # What a connection shows ------------------------------------------------------------

    @property
    def local_address(self) -> Any:
        """This side's address, as the socket gives it; (host, port) for IPv4."""
        return self._local_address

    @property
    def remote_address(self) -> Any:
        """The peer's address, as the socket gives it; (host, port) for IPv4."""
        return self._remote_address

    # The end ----------------------------------------------------------------------------

    def _end(self, exc: BaseException | None = None) -> None:
        """End the connection, TCP included.

        Args:
            exc: the error that ended it.
        """
        if self._transport_lost:
            return
        self._transport_lost = True
        protocol = self.protocol
        if exc is not None and protocol.cause is None:
            exc.__traceback__ = None  # its frames refer to this connection
            protocol.cause = exc
        protocol.receive_eof()
        if protocol.state is not State.CLOSED:
            protocol.fail(CloseCode.ABNORMAL_CLOSURE)
        protocol.writes.clear()
        self._drop_unsent()
        self._sending_ended = True
        self._closed()
        # Wakes whoever waits on it. Closed under them, its number might be another's soon.
        with contextlib.suppress(OSError):
            self._shut_tcp(socket.SHUT_RDWR)
        self._ended.set()
        self._watcher.look_now(self)

    def _close_socket(self) -> None:
        """Close the socket once nobody waits on it any more."""
        if not self._waiting and not self.watched_events:
            self.socket.close()

    def wait_closed(self, timeout: float | None = None) -> bool:
        """Wait until the connection is closed, TCP included.

        Args:
            timeout: seconds to wait at most; None for any.

        Returns:
            Whether it is closed.
        """
        return self._ended.wait(timeout)
