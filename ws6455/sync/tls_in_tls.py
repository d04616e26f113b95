"""TLS within TLS: a TLS connection to a server through a proxy that uses TLS as well.

The :mod:`ssl` module wraps plain sockets only; this class wraps a socket that uses TLS already.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Any

from ..client.deadline import Deadline

__all__ = ["TLSInTLS"]

_CHUNK = 1 << 14


class TLSInTLS:
    """TLS over a TLS socket, with the methods of a socket that a connection calls.

    The constructor performs the TLS handshake.

    Args:
        outer: a connected TLS socket.
        context, server_hostname, deadline: see :func:`~ws6455.sync.tunnel.start_tls`.

    Raises:
        OSError: if the handshake fails.
    """

    def __init__(
        self,
        outer: ssl.SSLSocket,
        context: ssl.SSLContext,
        server_hostname: str | None,
        deadline: Deadline,
    ) -> None:
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        self._encrypted = b""  # bytes that the outer socket has not accepted yet
        self._accepted = 0  # bytes of payload that were encrypted and not reported yet
        while True:
            outer.settimeout(deadline.left())
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._send_encrypted()
                self._receive_encrypted()
            else:
                self._send_encrypted()
                return

    def __getattr__(self, name: str) -> Any:
        """Delegate everything else to the outer socket: file descriptor, addresses, options."""
        return getattr(self._outer, name)

    def _send_encrypted(self) -> None:
        self._encrypted += self._outgoing.read()
        while self._encrypted:
            self._encrypted = self._encrypted[self._outer.send(self._encrypted) :]

    def _receive_encrypted(self) -> None:
        data = self._outer.recv(_CHUNK)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def recv(self, size: int) -> bytes:
        """Receive bytes; see :meth:`socket.socket.recv`."""
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                self._receive_encrypted()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return b""

    def recv_into(self, buffer: memoryview) -> int:
        """Receive bytes into a buffer; see :meth:`socket.socket.recv_into`."""
        data = self.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def send(self, data: bytes) -> int:
        """Send bytes; after an error for want of room, repeat the call with the same data."""
        if not self._accepted:
            self._accepted = self._tls.write(data)
        self._send_encrypted()
        accepted, self._accepted = self._accepted, 0
        return accepted

    def pending(self) -> int:
        """Return the number of bytes received but not read, here and in the outer socket."""
        return self._tls.pending() + self._incoming.pending + self._outer.pending()

    def unwrap(self) -> None:
        """Send close_notify, the end of the data sent with TLS."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._send_encrypted()

    def shutdown(self, how: int) -> None:
        """Shut down TCP in one direction or both."""
        socket.socket.shutdown(self._outer, how)
