"""Sending half of a threaded connection: messages, fragmented messages, broadcasts.

RFC 6455 §5.4 (fragmentation), §6.1 (sending). One lock guards a connection, and no thread holds
it while it waits.
"""

from __future__ import annotations

import abc
import socket
import threading
import time
from collections.abc import Iterable
from typing import Any, cast

from ..exceptions import ConcurrencyError, InvalidState
from ..framing.fragments import FragmentWriter, check_fragments, whole_message
from ..framing.frames import Opcode
from ..framing.shared_message import SharedMessage
from ..protocol.roles import AnyProtocol
from ..session.connection import BaseConnection, Slow
from ..typing import DataLike
from .readiness import Readiness, readiness
from .transport import SocketIO

__all__ = ["SendingConnection"]


class SendingConnection(BaseConnection):
    """A connection that a threaded application sends with.

    A base class of :class:`~ws6455.sync.connection.Connection`, as in `aio`.

    Args:
        sock: a connected socket, its TLS handshake done.
        protocol: the connection without I/O.
        policy: see :class:`~ws6455.session.connection.BaseConnection`.
    """

    runs_in = "thread"
    _io: SocketIO

    def __init__(self, sock: socket.socket, protocol: AnyProtocol, *policy: Any) -> None:
        # Reentrant: a signal handler may call from within a call.
        self._lock = threading.RLock()
        self._sending_fragments = False
        self._waiting = 0  # threads that wait on the socket, which stays open meanwhile
        self.watched_events = 0
        self.socket = sock
        super().__init__(protocol, SocketIO(sock, protocol, self), time.monotonic, *policy)

    # Called by the I/O ------------------------------------------------------------------

    @abc.abstractmethod
    def ask_watcher(self) -> None:
        """Have the watcher look after this connection at once."""

    def sending_closed(self, exc: OSError | None) -> None:
        """Wait for the peer to close its side, now that nothing can be sent.

        Args:
            exc: the error that ended sending, or None.
        """
        if exc is not None:
            self.protocol.note_cause(exc)
        if self.protocol.eof_received:
            self._abort()
        else:
            self._expect_close()

    # Sending ----------------------------------------------------------------------------

    def send(
        self,
        message: DataLike | Iterable[DataLike],
        text: bool | None = None,
        *,
        compress: bool | None = None,
    ) -> None:
        """Send a message; see :meth:`ws6455.aio.sending.SendingConnection.send`.

        It returns when the socket has taken the whole message. While a fragmented message is
        being sent, another thread gets a ConcurrencyError.
        """
        frame = whole_message(message, text)
        if frame is None:
            check_fragments(message, Iterable)
            self._send_fragments(cast(Iterable[DataLike], message), text, compress)
            return
        with self._lock:
            self._check_no_fragments()
            sent = self._send_frame(*frame, True, compress)
        if not sent:
            self._raise_closed()

    def _check_no_fragments(self) -> None:
        """Check that no thread is sending a fragmented message.

        Raises:
            ConcurrencyError: if one is.
        """
        if self._sending_fragments:
            raise ConcurrencyError("cannot send while another thread sends a fragmented message")

    def _send_frame(self, opcode: Opcode, data: bytes, fin: bool, compress: bool | None) -> bool:
        """Send a data frame; call with the lock, which is released while the socket has no room.

        Returns:
            True if the socket has taken it, False if the connection cannot send any more.
        """
        try:
            self.protocol.send_data(opcode, data, fin, compress)
        except InvalidState:
            return False
        self._io.flush()
        return self._wait_sent() if self._io.unsent else not self._io.sending_ended

    def _send_fragments(
        self, fragments: Iterable[DataLike], text: bool | None, compress: bool | None
    ) -> None:
        """Send a fragmented message: a fragment for each item, and an empty last one."""
        with self._lock:
            self._check_no_fragments()
            self._sending_fragments = True
        writer = FragmentWriter(text)
        try:
            for fragment in fragments:
                self._send_fragment(*writer.frame(fragment), False, compress)
            if writer.begun:
                self._send_fragment(Opcode.CONT, b"", True, compress)
        except BaseException as exc:
            with self._lock:
                self._fail_fragments(exc)
            raise
        finally:
            self._sending_fragments = False

    def _send_fragment(self, *frame: Any) -> None:
        with self._lock:
            sent = self._send_frame(*frame)
        if not sent:
            self._raise_closed()

    def send_shared(self, message: SharedMessage, slow: Slow = "buffer") -> None:
        """Send a message of a broadcast, from any thread."""
        with self._lock:
            super().send_shared(message, slow)

    @abc.abstractmethod
    def wait_closed(self, timeout: float | None = None) -> bool:
        """Wait for the end, see :meth:`ws6455.sync.connection.Connection.wait_closed`."""

    def _raise_closed(self) -> None:
        """Wait until the outcome is settled, and raise it."""
        protocol = self.protocol
        if not protocol.settled:
            self.wait_closed()
        raise protocol.close_exc

    # Waiting ----------------------------------------------------------------------------

    def _wait_sent(self) -> bool:
        """Wait until everything up to now is sent; call with the lock, which is released.

        Returns:
            True if it was sent, False if the connection cannot send any more.
        """
        io = self._io
        mark = io.given_bytes
        io.senders += 1
        try:
            writable = readiness(self.socket, writing=True)
            while io.sent_bytes() < mark and not io.sending_ended:
                self._wait_unlocked(writable, None)
                if not io.lost:
                    io.send_unsent()
        finally:
            io.senders -= 1
            if io.unsent and not io.senders:
                self.ask_watcher()
        return io.sent_bytes() >= mark

    def _wait_unlocked(self, ready: Readiness, timeout: float | None) -> bool:
        """Wait on the socket without the lock, like a condition; call with the lock.

        Args:
            ready: waits for the socket to be ready.
            timeout: seconds to wait at most; None for no limit.

        Returns:
            True if the socket is ready.
        """
        self._waiting += 1
        try:
            # Within the `try`: after Ctrl+C's exception the lock is held again in any case.
            self._lock.release()
            return ready(timeout)
        finally:
            self._lock.acquire()
            self._waiting -= 1
            self._close_unused_socket()

    def _close_unused_socket(self) -> None:
        """Close the socket of a closed connection once no thread waits on it.

        If it were closed under a thread or the watcher, its number could soon be another's.
        """
        if self._io.lost and not self._waiting and not self.watched_events:
            self.socket.close()
