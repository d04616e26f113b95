"""TLS within TLS: a server's, through a proxy that is spoken to with TLS itself.

The :mod:`ssl` module puts TLS on sockets alone; here it is put on a socket that has TLS already.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Any

__all__ = ["TLSInTLS"]

_CHUNK = 1 << 14


class TLSInTLS:
    """What a connection needs of a socket, TLS handshake done.

    Args:
        outer: a connected socket with TLS, with a timeout: that of the handshake.
        context, server_hostname: see :func:`~ws6455.sync.tunnel.start_tls`.

    Raises:
        OSError: if TLS fails.
    """

    def __init__(
        self, outer: ssl.SSLSocket, context: ssl.SSLContext, server_hostname: str | None
    ) -> None:
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        self._encrypted = b""  # what the outer socket has not taken yet
        self._accepted = 0  # of the payload that it stands for
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._send_encrypted()
                self._receive_encrypted()
            else:
                self._send_encrypted()
                return

    def __getattr__(self, name: str) -> Any:
        """Be the outer socket in all else: its number, its addresses, its options."""
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
        """Receive, as a socket does."""
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                self._receive_encrypted()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return b""

    def recv_into(self, buffer: memoryview) -> int:
        """Receive into memory, as a socket does."""
        data = self.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def send(self, data: bytes) -> int:
        """Send, as a socket does; when there is no room call it again with the same data."""
        if not self._accepted:
            self._accepted = self._tls.write(data)
        self._send_encrypted()
        accepted, self._accepted = self._accepted, 0
        return accepted

    def pending(self) -> int:
        """Return how much was received already, by this or by the outer socket."""
        return self._tls.pending() + self._incoming.pending + self._outer.pending()

    def unwrap(self) -> None:
        """Tell the peer that nothing more will be sent."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._send_encrypted()

    def shutdown(self, how: int) -> None:
        """Close TCP in one direction or in both."""
        socket.socket.shutdown(self._outer, how)
