"""HTTP/1.1 requests and responses: bounded reading, strict parsing, serialization.

RFC 9112 (syntax), RFC 9110 (fields). The parser rejects anything ambiguous, because a proxy in
front of the server may interpret it differently.
"""

from __future__ import annotations

import dataclasses
import http
import re
import sys

from ..exceptions import (
    HeaderLineTooLong,
    InvalidMessage,
    NotHTTP,
    SecurityError,
    TooManyHeaders,
)
from ..settings import setting
from ..version import version
from .caches import SHARED_LINE_SIZE, cached_request_line
from .header_values import HOST
from .headers import (
    FIELD_VALUE,
    MAX_LINE_SIZE,
    Headers,
    parse_fields,
)

__all__ = [
    "SERVER",
    "USER_AGENT",
    "HeadReader",
    "Request",
    "RequestHeadReader",
    "Response",
    "parse_request",
    "parse_response",
]

MAX_HEADERS = setting("MAX_NUM_HEADERS", 128)
MAX_HEAD_SIZE = 65536
# A head below this size exceeds neither the limit for a line nor the one for the head.
_SHORT_HEAD_SIZE = min(MAX_LINE_SIZE, MAX_HEAD_SIZE)

_PRODUCT = f"Python/{sys.version_info[0]}.{sys.version_info[1]} ws6455/{version}"
SERVER = setting("SERVER", _PRODUCT)
USER_AGENT = setting("USER_AGENT", _PRODUCT)

_REQUEST_LINE = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]++) ([\x21-\x7e]++) (HTTP/[0-9]\.[0-9])")
_STATUS_LINE = re.compile(rb"(HTTP/[0-9]\.[0-9]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*+))?")
_ABSOLUTE_FORM = re.compile(r"(?:http|ws)s?://([^/?#]++)", re.IGNORECASE)


@dataclasses.dataclass(slots=True)
class Request:
    """The head of an HTTP request.

    Attributes:
        path: path and query, as in the request line.
        headers: the headers.
        method: such as ``GET``.
        protocol: such as ``HTTP/1.1``.
    """

    path: str
    headers: Headers
    method: str = "GET"
    protocol: str = "HTTP/1.1"

    def serialize(self) -> bytes:
        """Return the head as sent.

        Raises:
            InvalidMessage: if the request line contains invalid characters.
        """
        line = f"{self.method} {self.path} {self.protocol}"
        if _REQUEST_LINE.fullmatch(line) is None:
            raise InvalidMessage(f"malformed request line: {line[:80]!a}")
        return line.encode() + b"\r\n" + self.headers.serialize()


@dataclasses.dataclass(slots=True)
class Response:
    """An HTTP response.

    Attributes:
        status_code: such as 101.
        reason_phrase: such as ``Switching Protocols``.
        headers: the headers.
        body: the body.
    """

    status_code: int
    reason_phrase: str
    headers: Headers
    body: bytes = b""

    def serialize(self, body: bool = True) -> bytes:
        """Return the response as sent.

        Args:
            body: whether to include the body; the response to HEAD has none.

        Raises:
            InvalidMessage: if the reason phrase contains invalid characters.
        """
        if FIELD_VALUE.fullmatch(self.reason_phrase) is None:
            raise InvalidMessage(f"malformed reason phrase: {self.reason_phrase[:80]!a}")
        head = f"HTTP/1.1 {self.status_code} {self.reason_phrase}\r\n{self.headers}"
        return head.encode("latin-1") + (self.body if body else b"")

    @classmethod
    def text(cls, status: int, text: str) -> Response:
        """Build a plain-text response that closes the connection.

        It gets its Date when a server sends it.

        Raises:
            ValueError: if the status is not one of :class:`http.HTTPStatus`.
        """
        status = http.HTTPStatus(status)
        body = text.encode()
        headers = Headers(
            [
                ("Connection", "close"),
                ("Content-Length", str(len(body))),
                ("Content-Type", "text/plain; charset=utf-8"),
            ]
        )
        return cls(status.value, status.phrase, headers, body)


class HeadReader:
    """Splits a head into lines as its bytes arrive, within limits.

    Each byte is scanned once. Limits: 8 KiB per line, 128 headers, 64 KiB in total.

    Args:
        start_line_too_long: the exception for a start line above the limit.
    """

    __slots__ = ("_line", "_size", "_start_line_too_long", "lines")

    #: Number of empty lines to skip before the start line.
    max_empty_lines = 0

    def __init__(self, start_line_too_long: type[SecurityError]) -> None:
        self._start_line_too_long = start_line_too_long
        self._line = bytearray()  # the line that is not complete yet
        self._size = 0  # bytes of the complete lines
        self.lines: list[bytes] = []

    def __len__(self) -> int:
        """Return the number of bytes received so far."""
        return self._size + len(self._line)

    def feed(self, data: bytes) -> bytes | None:
        """Add bytes. Return the bytes after the head once it is complete, else None.

        Raises:
            SecurityError: if a limit is exceeded.
            InvalidMessage: if a line does not end in CRLF.
        """
        lines = self.lines
        if not self:
            # Fast path: nearly every head arrives in one piece, well within the limits. An empty
            # start line, or a line that does not end with CRLF, takes the slow path.
            head, end, rest = data.partition(b"\r\n\r\n")
            cut = head.split(b"\r\n")
            in_bounds = len(head) < _SHORT_HEAD_SIZE and len(cut) <= MAX_HEADERS
            if end and in_bounds and cut[0] and head.count(b"\n") == len(cut) - 1:
                lines += cut
                self._size = len(head) + len(end)
                return rest
        # More lines than this always exceed the limit.
        *ended, rest = data.split(b"\n", MAX_HEADERS + 2)
        if ended and self._line:
            ended[0] = bytes(self._line) + ended[0]
            self._line.clear()
        for number, line in enumerate(ended, 1):
            self._check_size(len(line))
            if not line.endswith(b"\r"):
                raise InvalidMessage("line doesn't end with CRLF")
            self._size += len(line) + 1
            if line == b"\r":
                if lines or self._size > self.max_empty_lines * len(b"\r\n"):
                    return b"\n".join([*ended[number:], rest])
                continue
            if len(lines) > MAX_HEADERS:
                raise TooManyHeaders(f"head has more than {MAX_HEADERS} headers")
            lines.append(line[:-1])
        self._line += rest
        self._check_size(len(self._line))
        return None

    def _check_size(self, line_size: int) -> None:
        if line_size > MAX_LINE_SIZE:
            what = HeaderLineTooLong if self.lines else self._start_line_too_long
            raise what(f"line exceeds {MAX_LINE_SIZE} bytes")
        if self._size + line_size > MAX_HEAD_SIZE:
            raise TooManyHeaders(f"head exceeds {MAX_HEAD_SIZE} bytes")


class RequestHeadReader(HeadReader):
    """Splits the head of a request, and skips a few empty lines before it (RFC 9112 §2.2)."""

    __slots__ = ()

    max_empty_lines = 4


def parse_request(lines: list[bytes]) -> Request:
    """Parse a request's head from its lines (RFC 9112 §3).

    Any method and version are accepted; the handshake checks them. The host of a target in
    absolute form replaces Host (§3.2.2), unless Host is missing, repeated or invalid.

    Raises:
        NotHTTP: if the first line does not look like HTTP.
        InvalidMessage: if the head is malformed, or announces a body.
    """
    line = lines[0] if lines else b""
    parse = _parse_shared_request_line if len(line) <= SHARED_LINE_SIZE else _parse_request_line
    method, target, protocol, host = parse(line)
    headers = parse_fields(lines[1:])
    if host is not None:
        received = headers.get_all("Host")
        if len(received) == 1 and HOST.fullmatch(received[0]) is not None:
            del headers["Host"]
            headers["Host"] = host
    # A body would be read as the first frames; a proxy could read frames as a body.
    if "Transfer-Encoding" in headers:
        raise InvalidMessage("request with a Transfer-Encoding")
    if "Content-Length" in headers and headers.get_all("Content-Length") != ["0"]:
        raise InvalidMessage("request with a body")
    return Request(target, headers, method, protocol)


def _parse_request_line(line: bytes) -> tuple[str, str, str, str | None]:
    """Split a request line.

    Returns:
        Method, path and protocol; and the host of a target in absolute form, else None.

    Raises:
        NotHTTP, InvalidMessage: see :func:`parse_request`.
    """
    if b" HTTP/" not in line:
        raise NotHTTP(f"not an HTTP request line: {line[:80]!r}")
    match = _REQUEST_LINE.fullmatch(line.decode("latin-1"))
    if match is None:
        raise InvalidMessage(f"malformed request line: {line[:80]!r}")
    method, target, protocol = map(sys.intern, match.groups())
    if "#" in target:
        raise InvalidMessage(f"request target with a fragment: {target[:80]}")
    # §3.2.2: a server must accept the absolute form from any client.
    host = None
    absolute = _ABSOLUTE_FORM.match(target)
    if absolute is not None:
        host = absolute[1]
        target = target[absolute.end() :]
        if not target.startswith("/"):
            target = f"/{target}"
    if not target.startswith("/"):
        raise InvalidMessage(f"request target isn't a path: {target[:80]}")
    return method, target, protocol, host


_parse_shared_request_line = cached_request_line(_parse_request_line)


def parse_response(lines: list[bytes]) -> tuple[str, Response]:
    """Parse a response's head from its lines (RFC 9112 §4).

    Returns:
        The HTTP version, and the response with an empty body.

    Raises:
        InvalidMessage: if the head is malformed.
    """
    line = lines[0] if lines else b""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise InvalidMessage(f"malformed status line: {line[:80]!r}")
    protocol, status, reason = match.groups()
    headers = parse_fields(lines[1:])
    return protocol.decode(), Response(int(status), (reason or b"").decode("latin-1"), headers)
