"""Requests and responses that generators read.

RFC 9112.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, ClassVar

from ..exceptions import RequestLineTooLong, SecurityError, StatusLineTooLong
from ..http1 import head
from ..http1.body import MAX_BODY_SIZE, BodyReader
from ..http1.headers import MAX_LINE_SIZE

__all__ = ["Request", "Response"]

# Takes a number of bytes that a line may have at most; waits for the line.
ReadLine = Callable[[int], Generator[None, None, bytes | bytearray]]


class _CoreInstances(type):
    """Metaclass by which instances of a class of the core count as those of its subclass.

    Connections have requests and responses of the core; ``isinstance(connection.request,
    websockets.Request)`` must hold for them as well.
    """

    _core: type

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or type(instance) is vars(cls).get("_core")


class Request(head.Request, metaclass=_CoreInstances):
    """An HTTP request's head; see :class:`ws6455.Request`."""

    __slots__ = ()
    _core: ClassVar[type] = head.Request

    @classmethod
    def parse(cls, read_line: ReadLine) -> Generator[None, None, Request]:
        """Read a request, as a generator that waits for bytes.

        Args:
            read_line: waits for a line of at most that many bytes and returns it.

        Raises:
            SecurityError: if a limit is exceeded.
            InvalidMessage: if the head is malformed, or a body is announced.
        """
        request = head.parse_request((yield from _read_head(read_line, RequestLineTooLong)))
        return cls(request.path, request.headers, request.method, request.protocol)

    @property
    def exception(self) -> None:
        """None: an error is in the protocol's `handshake_exc`."""


class Response(head.Response, metaclass=_CoreInstances):
    """An HTTP response; see :class:`ws6455.Response`."""

    __slots__ = ()
    _core: ClassVar[type] = head.Response

    @classmethod
    def parse(
        cls,
        read_line: ReadLine,
        read_exact: Callable[[int], Generator[None, None, bytes | bytearray]],
        read_to_eof: ReadLine,
        proxy: bool = False,
    ) -> Generator[None, None, Response]:
        """Read a response, as a generator that waits for bytes.

        Args:
            read_line: waits for a line of at most that many bytes and returns it.
            read_exact: waits for that many bytes and returns them.
            read_to_eof: waits for the end and returns the bytes before it.
            proxy: whether it answers CONNECT: a response that accepts has no body then.

        Raises:
            SecurityError: if a limit is exceeded.
            InvalidMessage: if the response is malformed.
        """
        _, parsed = head.parse_response((yield from _read_head(read_line, StatusLineTooLong)))
        response = cls(parsed.status_code, parsed.reason_phrase, parsed.headers)
        status = response.status_code
        if status < 200 or status in (204, 304) or (proxy and status < 300):
            return response  # RFC 9112 §6.3: these have no body
        body = BodyReader(response.headers)
        whole = False
        while not whole:
            if body.remaining:
                piece = yield from read_exact(min(body.remaining, MAX_BODY_SIZE))
            elif body.chunked:
                piece = yield from read_line(MAX_LINE_SIZE)
            else:
                piece = b"" if body.remaining == 0 else (yield from read_to_eof(MAX_BODY_SIZE))
            whole = body.feed(bytes(piece)) or not body.chunked
        response.body = bytes(body.body)
        return response

    @property
    def exception(self) -> None:
        """None: an error is in the protocol's `handshake_exc`."""


def _read_head(
    read_line: ReadLine, start_line_too_long: type[SecurityError]
) -> Generator[None, None, list[bytes]]:
    reader = head.HeadReader(start_line_too_long)
    while reader.feed(bytes((yield from read_line(MAX_LINE_SIZE + 2)))) is None:
        pass
    return reader.lines
