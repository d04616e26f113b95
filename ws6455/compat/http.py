"""HTTP heads read by hand from an asyncio stream, as in versions 8 to 13.

RFC 9112.
"""

from __future__ import annotations

import asyncio

from ..exceptions import RequestLineTooLong, SecurityError, StatusLineTooLong
from ..http1.head import HeadReader, parse_request, parse_response
from ..http1.headers import Headers

__all__ = ["read_headers", "read_request", "read_response"]


async def _read_lines(stream: asyncio.StreamReader, too_long: type[SecurityError]) -> list[bytes]:
    """Read a head, and not a byte of what follows it.

    Raises:
        SecurityError: if a limit is exceeded.
        InvalidMessage: if a line does not end in CRLF.
        EOFError: if the stream ends before the head does.
    """
    head = HeadReader(too_long)
    while True:
        line = await stream.readline()
        if not line:
            raise EOFError("connection closed while reading HTTP headers")
        if head.feed(line) is not None:
            return head.lines


async def read_request(stream: asyncio.StreamReader) -> tuple[str, Headers]:
    """Read a request's head.

    Returns:
        Its path and its headers.

    Raises:
        InvalidMessage, SecurityError: if it is malformed or too long.
        EOFError: if the stream ends within it.
    """
    request = parse_request(await _read_lines(stream, RequestLineTooLong))
    return request.path, request.headers


async def read_response(stream: asyncio.StreamReader) -> tuple[int, str, Headers]:
    """Read a response's head.

    Returns:
        Its status, its reason phrase and its headers.

    Raises:
        InvalidMessage, SecurityError: if it is malformed or too long.
        EOFError: if the stream ends within it.
    """
    _, response = parse_response(await _read_lines(stream, StatusLineTooLong))
    return response.status_code, response.reason_phrase, response.headers


async def read_headers(stream: asyncio.StreamReader) -> Headers:
    """Read header lines and the empty line after them.

    Raises:
        InvalidMessage, SecurityError: if they are malformed or too long.
        EOFError: if the stream ends within them.
    """
    lines = await _read_lines(stream, StatusLineTooLong)
    return parse_response([b"HTTP/1.1 200 OK", *lines])[1].headers
