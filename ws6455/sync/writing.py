"""The writing half of a session on a socket: what goes out, and what waits for room.

The base of :class:`~ws6455.sync.transport.SocketSession`.

One lock guards a connection, and nobody waits for anything else while holding it. The socket does
not block: reading is one step under the lock, which any thread may take once the socket is
readable, and so is writing. So two threads never use a TLS socket at once, either.
"""

from __future__ import annotations

import abc
import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections import deque
from typing import Any

from ..framing.shared_message import SharedMessage
from ..protocol.client import ClientProtocol
from ..protocol.protocol import SEND_EOF
from ..protocol.server import ServerProtocol
from ..session.connection import Endpoint, Slow
from .readiness import Readiness, readiness

__all__ = ["NOT_NOW", "WritingSession"]

# How many parts the system takes at once.
_MAX_PARTS = 1024
# A socket that does not block says so in three ways.
NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class WritingSession(Endpoint):
    """A session that writes to a socket.

    Args:
        sock: a connected socket, TLS handshake done; from now on it is this object's.
        protocol, policy: see :class:`~ws6455.session.connection.Endpoint`.
    """

    runs_in = "thread"

    def __init__(
        self, sock: socket.socket, protocol: ClientProtocol | ServerProtocol, *policy: Any
    ) -> None:
        super().__init__(protocol, time.monotonic, *policy)
        self.socket = sock
        self._is_tls = hasattr(sock, "pending")  # TLS within TLS is no SSLSocket
        # Whoever calls from a signal's handler may have it already.
        self._lock = threading.RLock()
        self._unsent: deque[bytes | memoryview] = deque()
        self._unsent_size = 0
        self._eof_unsent = False
        self._senders = 0  # threads that wait for room
        self._waiting = 0  # threads that wait on the socket: it stays open
        self.watched_events = 0

    @abc.abstractmethod
    def _ask_watcher(self) -> None:
        """Have the watcher look after this at once."""

    def _flush(self) -> None:
        protocol = self.protocol
        if not self._unsent and not protocol.pongs_due and not protocol.eof_due:
            writes = protocol.writes
            if len(writes) == 1 and not self._sending_ended:
                # The case that counts for speed.
                data = writes.pop()
                try:
                    sent = self.socket.send(data)
                except NOT_NOW:
                    sent = 0
                except OSError as exc:
                    self._break_sending(exc)
                    return
                if sent == len(data):
                    return
                writes.append(data[sent:])
        elif self._unsent and protocol.pongs_due and self._hold_pongs_back():
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
            self._ask_watcher()

    def _send_unsent(self) -> None:
        """Send as much as the socket has room for."""
        unsent = self._unsent
        while unsent:
            try:
                if self._is_tls or len(unsent) == 1 or not hasattr(self.socket, "sendmsg"):
                    sent = self.socket.send(unsent[0])
                else:
                    sent = self.socket.sendmsg(itertools.islice(unsent, _MAX_PARTS))
            except NOT_NOW:
                self.pause_writing()
                return
            except OSError as exc:
                self._break_sending(exc)
                return
            self._unsent_size -= sent
            while unsent and sent >= len(unsent[0]):
                sent -= len(unsent.popleft())
            if sent:
                unsent[0] = memoryview(unsent[0])[sent:]
        if self._writing_paused:
            self.resume_writing()
        if self._eof_unsent and not unsent:
            self._close_sending()

    def _close_sending(self) -> None:
        """Close TLS and TCP for sending, and wholly once the peer has."""
        self._eof_unsent = False
        if self._is_tls:
            with contextlib.suppress(OSError, ValueError):  # the peer's answer is to come
                self.socket.unwrap()  # type: ignore[attr-defined]  # SSLSocket's
        with contextlib.suppress(OSError):
            self._shut_tcp(socket.SHUT_WR)
        self._await_end()

    def _shut_tcp(self, how: int) -> None:
        """Close TCP in one direction or in both."""
        if isinstance(self.socket, ssl.SSLSocket):
            # Its own way gives TLS up: what came encrypted would be read as it is.
            socket.socket.shutdown(self.socket, how)
        else:
            self.socket.shutdown(how)

    def _break_sending(self, exc: OSError) -> None:
        """Note that the peer takes no more; what it has sent before may still tell why."""
        self._note_cause(exc)
        self._drop_unsent()
        self._await_end()

    def _await_end(self) -> None:
        """Go on to the end, now that nothing can be sent: at once if the peer has ended too."""
        if self.protocol.eof_received:
            self._abort()
        else:
            self._stop_sending()

    def _drop_unsent(self) -> None:
        self._unsent.clear()
        self._written -= self._unsent_size
        self._unsent_size = 0
        self._eof_unsent = False

    def _unsent_bytes(self) -> int:
        return self._unsent_size

    def send_shared(self, message: SharedMessage, slow: Slow = "buffer") -> None:
        """Do a broadcast's part for this connection."""
        with self._lock:
            super().send_shared(message, slow)

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
                self._wait_unlocked(writable, None)
                if not self._transport_lost:
                    self._send_unsent()
        finally:
            self._senders -= 1
            if self._unsent and not self._senders:
                self._ask_watcher()
        return self._sent_bytes() >= mark

    def _wait_unlocked(self, ready: Readiness, timeout: float | None) -> bool:
        """Wait on the socket with the lock, which is free meanwhile, as with a condition.

        Args:
            ready: what to wait for.
            timeout: seconds to wait at most; None for any.

        Returns:
            Whether it has come.
        """
        self._waiting += 1
        try:
            # Within, so that Ctrl+C's exception finds it either held or taken back.
            self._lock.release()
            return ready(timeout)
        finally:
            self._lock.acquire()
            self._waiting -= 1
            self._close_if_through()

    def _close_if_through(self) -> None:
        """Close the socket of a connection that has ended, once nobody waits on it any more.

        Closed under a thread or the watcher, its number might be another's soon.
        """
        if self._transport_lost and not self._waiting and not self.watched_events:
            self.socket.close()
