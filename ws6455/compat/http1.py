"""Functions that parse and build HTTP heads, URIs, header values and opening handshakes.

RFC 6455 §3, §4, §9.1; RFC 9110, RFC 9112.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, ClassVar

from ..client.proxies import Proxy, Tunnel
from ..exceptions import RequestLineTooLong, SecurityError, StatusLineTooLong
from ..http1 import head
from ..http1 import uri as core_uri
from ..http1.body import MAX_BODY_SIZE, BodyReader
from ..http1.header_values import build_extension_list, parse_extension_list, parse_token_list
from ..http1.headers import MAX_LINE_SIZE, Headers
from ..protocol import handshake
from ..protocol.handshake import accept_key, generate_key
from ..typing import ExtensionHeader

__all__ = [
    "Request",
    "Response",
    "WebSocketURI",
    "build_extension",
    "build_request",
    "build_response",
    "build_subprotocol",
    "check_request",
    "check_response",
    "parse_connection",
    "parse_extension",
    "parse_subprotocol",
    "parse_upgrade",
    "parse_uri",
    "prepare_connect_request",
    "read_headers",
    "read_request",
    "read_response",
]

# Waits for a line; takes the limit of its length in bytes.
ReadLine = Callable[[int], Generator[None, None, bytes | bytearray]]

# Heads read by generators -------------------------------------------------------------


class _CoreInstances(type):
    """Metaclass of a subclass of a core class; core instances count as instances of the subclass.

    The requests and responses of connections are of the core's classes, and
    ``isinstance(connection.request, websockets.Request)`` must be true for them.
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
        """Read a request; a generator that yields while it waits for bytes.

        Args:
            read_line: waits for a line and returns it; takes the limit of its length.

        Raises:
            SecurityError: if a limit is exceeded.
            InvalidMessage: if the head is malformed, or a body is announced.
        """
        request = head.parse_request((yield from _read_head(read_line, RequestLineTooLong)))
        return cls(request.path, request.headers, request.method, request.protocol)

    @property
    def exception(self) -> None:
        """Always None; the protocol's `handshake_exc` has the error."""


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
        """Read a response; a generator that yields while it waits for bytes.

        Args:
            read_line: waits for a line and returns it; takes the limit of its length.
            read_exact: waits for a number of bytes and returns them.
            read_to_eof: waits for the end of the stream and returns the bytes before it; takes
                the limit of their number.
            proxy: True for the response to CONNECT, which has no body if the status is 2xx.

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
        """Always None; the protocol's `handshake_exc` has the error."""


def _read_head(
    read_line: ReadLine, start_line_too_long: type[SecurityError]
) -> Generator[None, None, list[bytes]]:
    reader = head.HeadReader(start_line_too_long)
    while reader.feed(bytes((yield from read_line(MAX_LINE_SIZE + 2)))) is None:
        pass
    return reader.lines


# Heads read from an asyncio stream ----------------------------------------------------


async def _read_lines(stream: asyncio.StreamReader, too_long: type[SecurityError]) -> list[bytes]:
    """Read the lines of a head, and nothing after it.

    Raises:
        SecurityError: if a limit is exceeded.
        InvalidMessage: if a line does not end in CRLF.
        EOFError: if the stream ends within the head.
    """
    reader = head.HeadReader(too_long)
    while True:
        line = await stream.readline()
        if not line:
            raise EOFError("connection closed while reading HTTP headers")
        if reader.feed(line) is not None:
            return reader.lines


async def read_request(stream: asyncio.StreamReader) -> tuple[str, Headers]:
    """Read the head of a request.

    Returns:
        The path and the headers.

    Raises:
        InvalidMessage, SecurityError: if the head is malformed or too long.
        EOFError: if the stream ends within the head.
    """
    request = head.parse_request(await _read_lines(stream, RequestLineTooLong))
    return request.path, request.headers


async def read_response(stream: asyncio.StreamReader) -> tuple[int, str, Headers]:
    """Read the head of a response.

    Returns:
        The status, the reason phrase and the headers.

    Raises:
        InvalidMessage, SecurityError: if the head is malformed or too long.
        EOFError: if the stream ends within the head.
    """
    _, response = head.parse_response(await _read_lines(stream, StatusLineTooLong))
    return response.status_code, response.reason_phrase, response.headers


async def read_headers(stream: asyncio.StreamReader) -> Headers:
    """Read header lines and the empty line after them.

    Raises:
        InvalidMessage, SecurityError: if the headers are malformed or too long.
        EOFError: if the stream ends within the headers.
    """
    lines = await _read_lines(stream, StatusLineTooLong)
    return head.parse_response([b"HTTP/1.1 200 OK", *lines])[1].headers


# URIs and proxies ---------------------------------------------------------------------


class WebSocketURI(core_uri.WebSocketURI):
    """A WebSocket URI, which can be unpacked as in version 8.

    Its items are secure, host, port, resource name and user info.
    """

    def __iter__(self) -> Iterator[bool | str | int | tuple[str, str] | None]:
        return iter((self.secure, self.host, self.port, self.resource_name, self.user_info))


def parse_uri(uri: str) -> WebSocketURI:
    """Parse a ``ws://`` or ``wss://`` URI; see :func:`ws6455.parse_uri`.

    Raises:
        InvalidURI: if the URI is not a WebSocket URI.
    """
    return WebSocketURI(**dataclasses.asdict(core_uri.parse_uri(uri)))


def prepare_connect_request(
    proxy: Proxy, ws_uri: core_uri.WebSocketURI, user_agent_header: str | None = head.USER_AGENT
) -> bytes:
    """Return a serialized CONNECT request.

    Args:
        proxy: the proxy.
        ws_uri: the URI of the server.
        user_agent_header: the value of User-Agent; None omits the header.
    """
    return Tunnel(proxy, ws_uri.host, ws_uri.port, user_agent_header).request


# Header values ------------------------------------------------------------------------


def parse_connection(header: str) -> list[str]:
    """Parse the value of Connection.

    Raises:
        InvalidHeaderFormat: if the value is not a list of tokens.
    """
    return parse_token_list("Connection", header)


def parse_upgrade(header: str) -> list[str]:
    """Parse the value of Upgrade.

    Raises:
        InvalidHeaderFormat: if the value is not a list of tokens.
    """
    return parse_token_list("Upgrade", header)


def parse_subprotocol(header: str) -> list[str]:
    """Parse the value of Sec-WebSocket-Protocol.

    Raises:
        InvalidHeaderFormat: if the value is not a list of tokens.
    """
    return parse_token_list("Sec-WebSocket-Protocol", header)


def build_subprotocol(subprotocols: Sequence[str]) -> str:
    """Build the value of Sec-WebSocket-Protocol."""
    return ", ".join(subprotocols)


def parse_extension(header: str) -> list[ExtensionHeader]:
    """Parse the value of Sec-WebSocket-Extensions.

    Raises:
        InvalidHeaderFormat: if the value is not a list of extensions.
    """
    return parse_extension_list(header)


def build_extension(extensions: Sequence[ExtensionHeader]) -> str:
    """Build the value of Sec-WebSocket-Extensions."""
    return build_extension_list(list(extensions))


# Opening handshakes of headers alone --------------------------------------------------


def build_request(headers: Headers) -> str:
    """Add the client's headers of the opening handshake.

    Args:
        headers: the headers of the request.

    Returns:
        The Sec-WebSocket-Key, for :func:`check_response`.
    """
    key = generate_key()
    headers["Upgrade"] = "websocket"
    headers["Connection"] = "Upgrade"
    headers["Sec-WebSocket-Key"] = key
    headers["Sec-WebSocket-Version"] = "13"
    return key


def check_request(headers: Headers) -> str:
    """Check the client's headers of the opening handshake.

    Args:
        headers: the headers of the request.

    Returns:
        The Sec-WebSocket-Key, for :func:`build_response`.

    Raises:
        InvalidHandshake: if the request is not a valid opening handshake.
    """
    if "Host" not in headers:
        headers = Headers(headers, Host="localhost")  # versions 8 to 13 do not require it
    return handshake.check_request(head.Request("/", headers))


def build_response(headers: Headers, key: str) -> None:
    """Add the server's headers of the opening handshake.

    Args:
        headers: the headers of the response.
        key: the result of :func:`check_request`.
    """
    headers["Upgrade"] = "websocket"
    headers["Connection"] = "Upgrade"
    headers["Sec-WebSocket-Accept"] = accept_key(key)


def check_response(headers: Headers, key: str) -> None:
    """Check the server's headers of the opening handshake.

    Args:
        headers: the headers of the response.
        key: the result of :func:`build_request`.

    Raises:
        InvalidHandshake: if the response does not accept the connection.
    """
    response = head.Response(101, "Switching Protocols", headers)
    handshake.check_response(response, "HTTP/1.1", key)
