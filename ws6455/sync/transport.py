"""I/O of a connection on a socket: writing, what waits for room, the end of sending.

The socket does not block. Nothing here waits, and everything is called with the connection's
lock: two threads never use a socket, and its TLS, at the same time.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
from collections import deque
from typing import Any, Protocol

from ..protocol.roles import AnyProtocol
from ..session.io import ConnectionIO, WritingOwner

__all__ = ["NOT_READY", "SocketIO"]

# Buffers that one sendmsg() takes.
_MAX_BUFFERS = 1024
# Exceptions of a non-blocking socket that is not ready.
NOT_READY = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SocketOwner(WritingOwner, Protocol):
    """Connection that its I/O calls, see :class:`~ws6455.sync.connection.Connection`."""

    def sending_closed(self, exc: OSError | None) -> None:
        """Wait for the peer to close its side; `exc` is the error that ended sending, or None."""

    def ask_watcher(self) -> None:
        """Have the watcher send the rest when there is room."""


class SocketIO(ConnectionIO):
    """I/O of a connection on a socket.

    Args:
        sock: a connected socket, its TLS handshake done; it belongs to this object from now on.
        protocol: the connection without I/O.
        owner: the connection.

    Attributes:
        socket: the socket.
        is_tls: True if the socket has TLS.
        unsent: bytes that wait for room.
        senders: number of threads that wait for room themselves.
    """

    def __init__(self, sock: socket.socket, protocol: AnyProtocol, owner: SocketOwner) -> None:
        super().__init__(protocol)
        self.socket = sock
        self.is_tls: bool = hasattr(sock, "pending")  # TLS in TLS is no SSLSocket
        self.unsent: deque[bytes | memoryview] = deque()
        self.senders = 0
        self._owner: SocketOwner | None = owner
        self._unsent_size = 0
        self._eof_unsent = False
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # a Unix socket has no such option
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        with contextlib.suppress(OSError):  # the peer may have gone
            self.local_address: Any = sock.getsockname()
            self.remote_address: Any = sock.getpeername()

    def detach(self) -> None:
        """Drop everything that waits, and the owner: the connection is closed."""
        self._drop_unsent()
        self._owner = None

    def has_decrypted(self) -> bool:
        """Return True if TLS holds decrypted bytes, which the socket does not show."""
        return self.is_tls and self.socket.pending() > 0  # type: ignore[attr-defined]  # SSLSocket's

    def pause_reading(self) -> None:
        """Stop reading; nothing to do, since every reader checks before it reads."""

    def resume_reading(self) -> None:
        """Read again; see :meth:`pause_reading`."""

    # Writing ----------------------------------------------------------------------------

    def flush(self) -> None:
        """Send what the protocol has to send, or keep it until there is room."""
        protocol = self._protocol
        if self.unsent and protocol.pongs_due and protocol.hold_pongs():
            return
        writes = protocol.take_writes()
        if len(writes) == 1 and not self.unsent and not self.sending_ended:
            # The case that counts for speed.
            data = writes[0]
            try:
                sent = self.socket.send(data)
            except NOT_READY:
                sent = 0
            except OSError as exc:
                self._break_sending(exc)
                return
            writes = [] if sent == len(data) else [data[sent:]]
        if writes and not self.sending_ended:
            self._queue(writes)
        if protocol.eof_due and protocol.take_eof() and not self.sending_ended:
            if self.unsent:
                self._eof_unsent = True
            else:
                self._close_sending()

    def _queue(self, writes: list[bytes]) -> None:
        """Send bytes, after those that wait."""
        self.unsent += writes
        size = sum(map(len, writes))
        self._unsent_size += size
        self._given += size
        self.send_unsent()
        if self.unsent and not self.senders and self._owner is not None:
            self._owner.ask_watcher()

    def send_unsent(self) -> None:
        """Send as much of what waits as the socket has room for."""
        unsent = self.unsent
        while unsent:
            try:
                if self.is_tls or len(unsent) == 1 or not hasattr(self.socket, "sendmsg"):
                    sent = self.socket.send(unsent[0])
                else:
                    sent = self.socket.sendmsg(itertools.islice(unsent, _MAX_BUFFERS))
            except NOT_READY:
                self.writing_paused = True
                if self._owner is not None:
                    self._owner.pause_writing()
                return
            except OSError as exc:
                self._break_sending(exc)
                return
            self._unsent_size -= sent
            while unsent and sent >= len(unsent[0]):
                sent -= len(unsent.popleft())
            if sent:
                unsent[0] = memoryview(unsent[0])[sent:]
        if self.writing_paused:
            self.writing_paused: bool = False
            if self._owner is not None:
                self._owner.resume_writing()
        if self._eof_unsent and not unsent:
            self._close_sending()

    def unsent_bytes(self) -> int:
        """Return the size of `unsent`."""
        return self._unsent_size

    @property
    def given_bytes(self) -> int:
        """Number of bytes that had to wait so far."""
        return self._given

    # The end of sending -----------------------------------------------------------------

    def _close_sending(self) -> None:
        """Close the sending side of TLS and TCP."""
        self._eof_unsent = False
        if self.is_tls:
            with contextlib.suppress(OSError, ValueError):  # the peer's answer is to come
                self.socket.unwrap()  # type: ignore[attr-defined]  # SSLSocket's
        with contextlib.suppress(OSError):
            self.shut_tcp(socket.SHUT_WR)
        self._end_sending(None)

    def shut_tcp(self, how: int) -> None:
        """Close TCP in one direction or in both."""
        if isinstance(self.socket, ssl.SSLSocket):
            # SSLSocket.shutdown() gives up TLS: what arrives encrypted would be read as it is.
            socket.socket.shutdown(self.socket, how)
        else:
            self.socket.shutdown(how)

    def _break_sending(self, exc: OSError) -> None:
        """Stop sending: the peer takes no more. What it has sent may still tell why."""
        self._drop_unsent()
        self._end_sending(exc)

    def _end_sending(self, exc: OSError | None) -> None:
        self.sending_ended = True
        if self._owner is not None:
            self._owner.sending_closed(exc)

    def _drop_unsent(self) -> None:
        self.unsent.clear()
        self._given -= self._unsent_size
        self._unsent_size = 0
        self._eof_unsent = False
