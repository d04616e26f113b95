"""A server on blocking sockets that gives each connection the next of its answers."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Literal

from ws6455.testing import opening_response

Answer = Callable[[socket.socket, str], None]
Ending = Literal["open", "close", "reset"]


def reply(data: bytes, end: Ending = "open") -> Answer:
    """Answer any request with these bytes, and leave TCP open, close it or reset it."""

    def answer(sock: socket.socket, head: str) -> None:
        sock.sendall(data)
        finish(sock, end)

    return answer


def accept(then: bytes = b"", end: Ending = "open", before: bytes = b"") -> Answer:
    """Accept a client; `then` follows the response, `before` comes first."""

    def answer(sock: socket.socket, head: str) -> None:
        sock.sendall(before + opening_response(head) + then)
        finish(sock, end)

    return answer


def refuse(status: int, headers: str = "", body: bytes = b"", end: Ending = "open") -> Answer:
    """Refuse a client; each of the headers ends with CRLF."""
    return reply(f"HTTP/1.1 {status} No\r\n{headers}\r\n".encode() + body, end)


def finish(sock: socket.socket, end: Ending) -> None:
    if end == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if end != "open":
        sock.close()


class Answering:
    """The server, and what it has seen.

    Attributes:
        heads: the requests.
        times: the times when the connections were accepted.
    """

    def __init__(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        self.port: int = listener.getsockname()[1]
        self.heads: list[str] = []
        self.times: list[float] = []
        self._listener = listener
        self._context = context

    @property
    def uri(self) -> str:
        if self._context is not None:
            return f"wss://localhost:{self.port}/"
        return f"ws://127.0.0.1:{self.port}/"

    def names(self, number: int) -> list[str]:
        """Return the lines of a request without the request line."""
        return self.heads[number].split("\r\n")[1:-2]

    def values(self, number: int, name: str) -> list[str]:
        """Return the values of a header of a request."""
        pairs = [line.split(": ", 1) for line in self.names(number)]
        return [value for key, value in pairs if key.lower() == name.lower()]

    def serve(self, answers: tuple[Answer, ...], stack: contextlib.ExitStack) -> None:
        """Answer connections until the listener is shut down; the last answer is repeated."""
        for number in range(10_000):
            try:
                sock = stack.enter_context(self._listener.accept()[0])
            except OSError:
                return
            self.times.append(time.monotonic())
            sock.settimeout(5)
            with contextlib.suppress(OSError):
                if self._context is not None:
                    sock = stack.enter_context(self._context.wrap_socket(sock, server_side=True))
                head = b""
                while not head.endswith(b"\r\n\r\n") and (byte := sock.recv(1)):
                    head += byte
                self.heads.append(head.decode("latin-1"))
                answers[min(number, len(answers) - 1)](sock, self.heads[-1])


@contextlib.contextmanager
def answering(
    *answers: Answer, context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[Answering]:
    """Run a server; what was left open is closed at the end."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        contextlib.ExitStack() as stack,
        socket.create_server((host, 0), family=family, backlog=100) as listener,
    ):
        server = Answering(listener, context)
        thread = threading.Thread(target=server.serve, args=(answers, stack))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
