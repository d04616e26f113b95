"""Plain sockets that send requests."""

import contextlib
import socket
from collections.abc import Iterator

from tests.contract.adapters import PATIENCE
from ws6455.testing import opening_request


@contextlib.contextmanager
def plain_socket(port: int, source: str = "127.0.0.1") -> Iterator[socket.socket]:
    """Connect from an address; what is sent leaves at once."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        yield sock


def read_head(sock: socket.socket) -> str:
    """Read a response up to its empty line, byte by byte."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        assert byte, head
        head += byte
    return head.decode()


def exchange(port: int, *pieces: bytes) -> str:
    """Send a request that is to be refused; return the whole response."""
    with plain_socket(port) as sock:
        for piece in pieces:
            sock.sendall(piece)
        response = b""
        while data := sock.recv(4096):
            response += data
        return response.decode()


@contextlib.contextmanager
def opened(
    port: int,
    before: bytes = b"",
    headers: dict[str, str | None] | None = None,
    source: str = "127.0.0.2",
) -> Iterator[socket.socket]:
    """Open a connection from an address that is not the proxies'."""
    with plain_socket(port, source) as sock:
        sock.sendall(before + opening_request("/", headers))
        assert read_head(sock).startswith("HTTP/1.1 101 ")
        yield sock
