"""Exceptions with the constructors and the names of every version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from .. import exceptions
from ..exceptions import CloseLike
from ..http1.headers import Headers, HeadersLike

__all__ = [
    "AbortHandshake",
    "ConnectionClosed",
    "ConnectionClosedError",
    "ConnectionClosedOK",
    "InvalidStatus",
    "InvalidStatusCode",
    "PayloadTooBig",
    "RedirectHandshake",
    "compatible",
]

_Exception = TypeVar("_Exception", bound=BaseException)


class _CodeAndReason(NamedTuple):
    """A close code and a reason, in place of a Close frame."""

    code: int
    reason: str

    def __str__(self) -> str:
        return f"{self.code} {self.reason}".strip()


class ConnectionClosed(exceptions.ConnectionClosed):
    """The connection is closed; see :exc:`ws6455.ConnectionClosed`.

    Args:
        rcvd: the Close frame received, or None; up to version 9 the close code received.
        sent: the Close frame sent, or None; up to version 9 the reason received.
        rcvd_then_sent: whether the frame received came first; None unless there are two.
    """

    def __init__(
        self,
        rcvd: CloseLike | int | None,
        sent: CloseLike | str | None,
        rcvd_then_sent: bool | None = None,
    ) -> None:
        if isinstance(rcvd, int):
            super().__init__(_CodeAndReason(rcvd, str(sent or "")), None, rcvd_then_sent)
        else:
            super().__init__(rcvd, None if isinstance(sent, str) else sent, rcvd_then_sent)
        self.args: tuple[Any, ...] = (rcvd, sent, rcvd_then_sent)


class ConnectionClosedOK(ConnectionClosed, exceptions.ConnectionClosedOK):
    """Closed as it should be; see :exc:`ws6455.ConnectionClosedOK`."""


class ConnectionClosedError(ConnectionClosed, exceptions.ConnectionClosedError):
    """Closed by an error; see :exc:`ws6455.ConnectionClosedError`."""


class PayloadTooBig(exceptions.PayloadTooBig):
    """A frame or message is above the limit; see :exc:`ws6455.PayloadTooBig`.

    Args:
        size: bytes announced or received, or None; up to version 13 the whole text.
        max_size: the limit in bytes.
        current_size: bytes of earlier fragments of the same message.
    """

    def __init__(
        self,
        size: int | str | None,
        max_size: int | None = None,
        current_size: int | None = None,
    ) -> None:
        super().__init__(None if isinstance(size, str) else size, max_size, current_size)
        self._text = size if isinstance(size, str) else None
        if self._text is not None:
            self.args: tuple[Any, ...] = (self._text,)

    def __str__(self) -> str:
        return super().__str__() if self._text is None else self._text


_SUBCLASSES: dict[type, Any] = {
    exceptions.ConnectionClosedError: ConnectionClosedError,
    exceptions.ConnectionClosedOK: ConnectionClosedOK,
    exceptions.PayloadTooBig: PayloadTooBig,
}


def compatible(exc: _Exception) -> _Exception:
    """Return an exception of the core as the subclass that programs catch, its cause included."""
    subclass = _SUBCLASSES.get(type(exc))
    if subclass is None:
        return exc
    converted: _Exception = subclass(*exc.args)
    if exc.__cause__ is not None:
        converted.__cause__ = compatible(exc.__cause__)
    converted.__suppress_context__ = exc.__suppress_context__
    return converted


class InvalidStatusCode(exceptions.InvalidHandshake):
    """The server rejected the connection; the name of ``InvalidStatus`` up to version 13.

    Args:
        status_code: the status of the response.
        headers: the headers of the response.
    """

    def __init__(self, status_code: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status_code, headers)
        self.status_code = status_code
        self.headers: Mapping[str, str] = Headers() if headers is None else headers

    def __str__(self) -> str:
        return f"server rejected WebSocket connection: HTTP {self.status_code}"


class InvalidStatus(exceptions.InvalidStatus, InvalidStatusCode):
    """The server rejected the connection; caught by the names of every version.

    Args:
        response: the response.
    """

    def __init__(self, response: exceptions.ResponseLike) -> None:
        InvalidStatusCode.__init__(self, response.status_code, response.headers)
        self.args: tuple[Any, ...] = (response,)
        self.response = response


class AbortHandshake(exceptions.InvalidHandshake):
    """Raised by a callback of a server to reject the connection with a response.

    Args:
        status: the status of the response.
        headers: the headers of the response.
        body: the body of the response.
    """

    def __init__(self, status: int, headers: HeadersLike, body: bytes = b"") -> None:
        super().__init__(status, headers, body)
        self.status = status
        self.headers: Headers = Headers(headers)
        self.body = body

    def __str__(self) -> str:
        return f"HTTP {int(self.status)}, {len(self.headers)} headers, {len(self.body)} bytes"


class RedirectHandshake(exceptions.InvalidHandshake):
    """The server redirects the client.

    Args:
        uri: the target of the redirect.
    """

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri

    def __str__(self) -> str:
        return f"redirect to {self.uri}"
