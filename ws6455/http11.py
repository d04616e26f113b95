"""A bounded HTTP/1.1 head: read it, parse it, build it.

Floor 1: imports nothing above :mod:`ws6455.headers`. RFC 9112 (syntax), RFC 9110 (fields).
The parser is strict: what two implementations could read in two ways is refused, since a
proxy in front may be the other one.
"""

from __future__ import annotations

import dataclasses
import datetime
import email.utils
import functools
import http
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Protocol, runtime_checkable

from .errors import (
    HeaderLineTooLong,
    InvalidHeader,
    InvalidHeaderValue,
    InvalidMessage,
    NotHTTP,
    SecurityError,
    TooManyHeaders,
)
from .headers import TOKEN
from .settings import setting
from .version import version

__all__ = [
    "SERVER",
    "USER_AGENT",
    "HeadReader",
    "Headers",
    "HeadersLike",
    "MultipleValuesError",
    "Request",
    "Response",
    "build_date",
    "parse_request",
    "parse_response",
]

MAX_LINE_SIZE = setting("MAX_LINE_LENGTH", 8192)
MAX_HEADERS = setting("MAX_NUM_HEADERS", 128)
MAX_HEAD_SIZE = 65536

# Header values up to this size, such as Host and Upgrade, are the same for most connections, and
# kept once for all of them; a Sec-WebSocket-Key is longer.
_SHARED_SIZE = 20

_PRODUCT = f"Python/{sys.version_info[0]}.{sys.version_info[1]} ws6455/{version}"
SERVER = setting("SERVER", _PRODUCT)
USER_AGENT = setting("USER_AGENT", _PRODUCT)

_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*+")
_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++) ([\x21-\x7e]++) (HTTP/[0-9]\.[0-9])")
_STATUS_LINE = re.compile(rb"(HTTP/[0-9]\.[0-9]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*+))?")
_ABSOLUTE_FORM = re.compile(r"https?://[^/?#]++", re.IGNORECASE)


@functools.lru_cache(maxsize=256)
def _check_name(name: str) -> tuple[str, str]:
    """Return a header's name as it is and in lower case, the same strings every time.

    Raises:
        InvalidHeaderValue: if it is no token.
    """
    if TOKEN.fullmatch(name) is None:
        raise InvalidHeaderValue(ascii(name), "not a header name")
    return name, name.lower()


@functools.lru_cache(maxsize=1)
def _format_date(now: datetime.datetime) -> str:
    return email.utils.format_datetime(now, usegmt=True)


def build_date() -> str:
    """Return the value of Date for now (RFC 9110 §6.6.1)."""
    return _format_date(datetime.datetime.now(datetime.UTC).replace(microsecond=0))


class MultipleValuesError(LookupError):
    """A header that was asked for as one value has several."""

    def __str__(self) -> str:
        # LookupError's subclass KeyError would show the repr of its argument.
        return str(self.args[0]) if self.args else ""


@runtime_checkable
class SupportsKeysAndGetItem(Protocol):
    """What ``dict.update`` takes besides pairs and mappings."""

    def keys(self) -> Iterable[str]: ...
    def __getitem__(self, key: str, /) -> str: ...


class Headers(MutableMapping[str, str]):
    """HTTP headers: case-insensitive names, several values for a name, in order.

    ``headers[name] = value`` adds a value; ``headers[name]`` raises
    :exc:`MultipleValuesError` when there are several; :meth:`get_all` gives them all.

    Args:
        args, kwargs: as for ``dict``: another Headers, a mapping, pairs, keywords.

    Raises:
        InvalidHeaderValue: for a name that is no token, or a value with control characters or
            beyond ISO-8859-1 (RFC 9110 §5.5); such would split the head.
    """

    # Side by side, for every header: its name, its name in lower case, its value.
    __slots__ = ("_folded", "_names", "_values")

    def __init__(self, *args: HeadersLike, **kwargs: str) -> None:
        self._names: list[str] = []
        self._folded: list[str] = []
        self._values: list[str] = []
        self.update(*args, **kwargs)

    def __str__(self) -> str:
        return "".join([f"{name}: {value}\r\n" for name, value in self.raw_items()]) + "\r\n"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.raw_items())!r})"

    def copy(self) -> Headers:
        """Return an independent copy."""
        return type(self)(self)

    __copy__ = copy

    def serialize(self) -> bytes:
        """Return the header lines and the empty line after them, as sent."""
        return str(self).encode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._folded

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self._folded))

    def __len__(self) -> int:
        return len(set(self._folded))

    def __getitem__(self, key: str) -> str:
        folded = key.lower()
        count = self._folded.count(folded)
        if count == 0:
            raise KeyError(key)
        if count > 1:
            raise MultipleValuesError(key)
        return self._values[self._folded.index(folded)]

    def __setitem__(self, key: str, value: str) -> None:
        name, folded = _check_name(str(key))
        value = str(value)
        if _FIELD_VALUE.fullmatch(value) is None:
            raise InvalidHeaderValue(name, ascii(value))
        self._names.append(name)
        self._folded.append(folded)
        self._values.append(value)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        kept = [(name, value) for name, value in self.raw_items() if name.lower() != key.lower()]
        self.clear()
        self.update(kept)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return self._values_by_name() == other._values_by_name()

    def _values_by_name(self) -> dict[str, list[str]]:
        return {name: self.get_all(name) for name in self}

    def clear(self) -> None:
        """Remove every header."""
        self._names.clear()
        self._folded.clear()
        self._values.clear()

    def update(self, *args: HeadersLike, **kwargs: str) -> None:
        """Add the values of others to those already here."""
        for headers in (*args, kwargs):
            if isinstance(headers, Headers):
                self._names += headers._names
                self._folded += headers._folded
                self._values += headers._values
                continue
            pairs: Iterable[tuple[str, str]]
            if isinstance(headers, Mapping):
                pairs = headers.items()
            elif isinstance(headers, SupportsKeysAndGetItem):
                names = headers.keys()  # it need not be iterable itself
                pairs = [(name, headers[name]) for name in names]
            else:
                pairs = headers
            for name, value in pairs:
                self[name] = value

    def get_all(self, key: str) -> list[str]:
        """Return every value of a header, in order; none gives an empty list."""
        folded = key.lower()
        if folded not in self._folded:
            return []
        return [v for f, v in zip(self._folded, self._values, strict=True) if f == folded]

    def raw_items(self) -> Iterator[tuple[str, str]]:
        """Yield every pair of name and value, in order, with the name as it was given."""
        return zip(self._names, self._values, strict=True)


HeadersLike = Headers | Mapping[str, str] | Iterable[tuple[str, str]] | SupportsKeysAndGetItem


@dataclasses.dataclass(slots=True)
class Request:
    """An HTTP request's head.

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
            InvalidMessage: if the request line has characters that do not belong there.
        """
        line = f"{self.method} {self.path} {self.protocol}"
        if not line.isascii() or _REQUEST_LINE.fullmatch(line.encode()) is None:
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
        """Return the response as sent, with its body or, for an answer to HEAD, without.

        Raises:
            InvalidMessage: if the reason phrase has characters that do not belong there.
        """
        if _FIELD_VALUE.fullmatch(self.reason_phrase) is None:
            raise InvalidMessage(f"malformed reason phrase: {self.reason_phrase[:80]!a}")
        head = f"HTTP/1.1 {self.status_code} {self.reason_phrase}\r\n{self.headers}"
        return head.encode("latin-1") + (self.body if body else b"")

    @classmethod
    def text(cls, status: int, text: str) -> Response:
        """Make a plain-text answer after which the connection closes.

        Raises:
            ValueError: if the status is not one of :class:`http.HTTPStatus`.
        """
        status = http.HTTPStatus(status)
        body = text.encode()
        headers = Headers(
            [
                ("Date", build_date()),
                ("Connection", "close"),
                ("Content-Length", str(len(body))),
                ("Content-Type", "text/plain; charset=utf-8"),
            ]
        )
        return cls(status.value, status.phrase, headers, body)


class HeadReader:
    """Collects the lines of a head, however its bytes are cut, within the limits.

    Each byte is looked at once. Limits: 8 KiB a line, 128 headers, 64 KiB in all.

    Args:
        start_line_too_long: what to raise when the first line is above its limit.
    """

    __slots__ = ("_buffer", "_line_start", "_scanned", "_start_line_too_long", "lines")

    def __init__(self, start_line_too_long: type[SecurityError]) -> None:
        self._start_line_too_long = start_line_too_long
        self._buffer = bytearray()
        self._line_start = 0
        self._scanned = 0
        self.lines: list[bytes] = []

    def __len__(self) -> int:
        """Return the number of bytes received so far."""
        return len(self._buffer)

    def feed(self, data: bytes) -> bytes | None:
        """Take more bytes; return those after the head once it is whole, else None.

        Raises:
            SecurityError: if a limit is exceeded.
            InvalidMessage: if a line does not end in CRLF.
        """
        buffer = self._buffer
        buffer += data
        while True:
            end = buffer.find(b"\n", self._scanned)
            start = self._line_start
            line_size = (len(buffer) if end < 0 else end) - start
            if line_size > MAX_LINE_SIZE:
                what = HeaderLineTooLong if self.lines else self._start_line_too_long
                raise what(f"line exceeds {MAX_LINE_SIZE} bytes")
            if start + line_size > MAX_HEAD_SIZE:
                raise TooManyHeaders(f"head exceeds {MAX_HEAD_SIZE} bytes")
            if end < 0:
                self._scanned = len(buffer)
                return None
            if end == start or buffer[end - 1] != 0x0D:
                raise InvalidMessage("line doesn't end with CRLF")
            self._line_start = self._scanned = end + 1
            if end - 1 == start:
                return bytes(buffer[end + 1 :])
            if len(self.lines) > MAX_HEADERS:
                raise TooManyHeaders(f"head has more than {MAX_HEADERS} headers")
            self.lines.append(bytes(buffer[start : end - 1]))


def _parse_headers(lines: list[bytes]) -> Headers:
    """Parse header lines (RFC 9112 §5); no line folding, no space before the colon."""
    headers = Headers()
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise InvalidMessage(f"header line without a colon: {line[:80]!r}")
        value = value.strip(" \t")
        if len(value) <= _SHARED_SIZE:
            value = sys.intern(value)
        try:
            headers[name] = value
        except InvalidHeader as exc:
            raise InvalidMessage(f"malformed header line: {line[:80]!r}") from exc
    return headers


def parse_request(lines: list[bytes]) -> Request:
    """Parse a request's head from its lines (RFC 9112 §3).

    Any method and version are accepted: what the handshake allows is not this parser's matter.

    Raises:
        NotHTTP: if the first line does not look like HTTP.
        InvalidMessage: if the head is malformed, or a body is announced.
    """
    line = lines[0] if lines else b""
    if b" HTTP/" not in line:
        raise NotHTTP(f"not an HTTP request line: {line[:80]!r}")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise InvalidMessage(f"malformed request line: {line[:80]!r}")
    method, target, protocol = (sys.intern(group.decode("ascii")) for group in match.groups())
    if "#" in target:
        raise InvalidMessage(f"request target with a fragment: {target[:80]}")
    # §3.2.2: a server accepts the absolute form, whoever sends it.
    absolute = _ABSOLUTE_FORM.match(target)
    if absolute is not None:
        target = target[absolute.end() :]
        if not target.startswith("/"):
            target = f"/{target}"
    if not target.startswith("/"):
        raise InvalidMessage(f"request target isn't a path: {target[:80]}")
    headers = _parse_headers(lines[1:])
    # A body would be read as the first frames, or the other way round by a proxy.
    if "Transfer-Encoding" in headers:
        raise InvalidMessage("request with a Transfer-Encoding")
    if headers.get_all("Content-Length") not in ([], ["0"]):
        raise InvalidMessage("request with a body")
    return Request(target, headers, method, protocol)


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
    headers = _parse_headers(lines[1:])
    return protocol.decode(), Response(int(status), (reason or b"").decode("latin-1"), headers)
