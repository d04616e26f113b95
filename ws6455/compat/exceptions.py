"""Exceptions that `websockets` had in versions 8 to 13, and what a refusal is raised as."""

from __future__ import annotations

from collections.abc import Mapping

from .. import exceptions
from ..http1.headers import Headers, HeadersLike

__all__ = ["AbortHandshake", "InvalidStatus", "InvalidStatusCode", "RedirectHandshake"]


class InvalidStatusCode(exceptions.InvalidHandshake):
    """The server answered with another status than 101: its name up to version 13.

    Args:
        status_code: the status.
        headers: the response's.
    """

    def __init__(self, status_code: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status_code, headers)
        self.status_code = status_code
        self.headers: Mapping[str, str] = Headers() if headers is None else headers

    def __str__(self) -> str:
        return f"server rejected WebSocket connection: HTTP {self.status_code}"


class InvalidStatus(exceptions.InvalidStatus, InvalidStatusCode):
    """What a refused client raises: caught by the name of any version, with what each gives.

    Args:
        response: the response.
    """

    def __init__(self, response: exceptions.ResponseLike) -> None:
        InvalidStatusCode.__init__(self, response.status_code, response.headers)
        self.args = (response,)
        self.response = response


class AbortHandshake(exceptions.InvalidHandshake):
    """Raised by a server's program: refuse the connection with this response.

    Args:
        status: of the response.
        headers: of the response.
        body: of the response.
    """

    def __init__(self, status: int, headers: HeadersLike, body: bytes = b"") -> None:
        super().__init__(status, headers, body)
        self.status = status
        self.headers = Headers(headers)
        self.body = body

    def __str__(self) -> str:
        return f"HTTP {int(self.status)}, {len(self.headers)} headers, {len(self.body)} bytes"


class RedirectHandshake(exceptions.InvalidHandshake):
    """The server sends the client elsewhere.

    Args:
        uri: where to.
    """

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri

    def __str__(self) -> str:
        return f"redirect to {self.uri}"
