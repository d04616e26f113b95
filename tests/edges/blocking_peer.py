"""A raw peer on a blocking socket, with TLS or without, that ends as few programs do."""

import fcntl
import socket
import ssl
import struct
import termios
import time
from collections.abc import Callable
from typing import Self

from ws6455 import Close, Frame, Protocol, Side
from ws6455.testing import opening_request, opening_response

PATIENCE = 10


class BlockingPeer:
    """One end of a connection that a test drives byte by byte.

    Args:
        sock: a connected socket; its TLS handshake is done, if it has TLS.
        side: the peer's side.
    """

    def __init__(self, sock: socket.socket, side: Side) -> None:
        sock.settimeout(PATIENCE)
        self.socket = sock
        self.side = side

    @classmethod
    def connect(cls, port: int, context: ssl.SSLContext | None = None) -> Self:
        """Connect to a server, and complete the opening handshake."""
        sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        if context is not None:
            sock = context.wrap_socket(sock, server_hostname="localhost")
        peer = cls(sock, Side.CLIENT)
        sock.sendall(opening_request())
        peer.read_head()
        return peer

    @classmethod
    def accept(cls, listener: socket.socket, context: ssl.SSLContext | None = None) -> Self:
        """Accept a client, and complete the opening handshake."""
        sock, _ = listener.accept()
        if context is not None:
            sock.settimeout(PATIENCE)
            sock = context.wrap_socket(sock, server_side=True)
        peer = cls(sock, Side.SERVER)
        sock.sendall(opening_response(peer.read_head().decode()))
        return peer

    def read_head(self) -> bytes:
        """Read a request or response, and nothing after it."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        return head

    def send(self, *frames: Frame) -> None:
        """Send frames."""
        mask = self.side is Side.CLIENT
        self.socket.sendall(b"".join(frame.serialize(mask=mask) for frame in frames))

    def read_close(self) -> Close:
        """Read a Close frame, which must be the next."""
        protocol = Protocol(self.side)
        while not protocol.close_expected():
            protocol.receive_data(self.socket.recv(1 << 16))
        assert protocol.close_rcvd is not None
        return protocol.close_rcvd

    def wait_delivered(self) -> None:
        """Wait until the other end's system has everything that was sent."""
        self._until(lambda: self._count(termios.TIOCOUTQ) == 0)

    def wait_unread(self) -> None:
        """Wait until there are bytes to read, which are left there: closing will reset TCP."""
        self._until(lambda: self._count(termios.FIONREAD) > 0)

    def _count(self, request: int) -> int:
        size: int = struct.unpack("i", fcntl.ioctl(self.socket, request, b"\0" * 4))[0]
        return size

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.0005)

    def reset(self) -> None:
        """End TCP with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close the socket, without TLS's own farewell."""
        self.socket.close()
