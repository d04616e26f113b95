"""Exceptions of the library, with the close codes and HTTP statuses that they stand for.

RFC 6455 §7.4 (close codes), RFC 9110 §15 (statuses).

There are two families under :exc:`WebSocketException`. Errors of the opening handshake derive from
:exc:`InvalidHandshake` and have the HTTP status that a server answers with. An open connection
ends with :exc:`ConnectionClosed` for the application; :exc:`ProtocolError` and other violations
have the close code that fails the connection.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Protocol

__all__ = [
    "ConcurrencyError",
    "ConnectionClosed",
    "ConnectionClosedError",
    "ConnectionClosedOK",
    "DuplicateParameter",
    "HeaderLineTooLong",
    "InvalidHandshake",
    "InvalidHeader",
    "InvalidHeaderFormat",
    "InvalidHeaderValue",
    "InvalidMessage",
    "InvalidMethod",
    "InvalidOrigin",
    "InvalidParameterName",
    "InvalidParameterValue",
    "InvalidPayloadData",
    "InvalidProtocol",
    "InvalidProxy",
    "InvalidProxyMessage",
    "InvalidProxyStatus",
    "InvalidState",
    "InvalidStatus",
    "InvalidURI",
    "InvalidUpgrade",
    "NegotiationError",
    "NotHTTP",
    "PayloadTooBig",
    "ProtocolError",
    "ProxyError",
    "RequestLineTooLong",
    "SecurityError",
    "StatusLineTooLong",
    "TooManyFragments",
    "TooManyHeaders",
    "UnsupportedVersion",
    "WebSocketException",
]


def hide_credentials(uri: str) -> str:
    """Return a URI without its username and password, for logs and error messages."""
    return re.sub(r"//[^/?#]*@", "//", uri, count=1)


def without_traceback(exc: BaseException) -> BaseException:
    """Return a copy of an exception, to keep in a connection.

    The frames of a traceback refer to the connection. The exception itself may be raised again,
    which gives it another traceback.
    """
    try:
        return copy.copy(exc)
    except Exception:  # its class takes other arguments
        return RuntimeError(repr(exc))


class CloseLike(Protocol):
    """The payload of a Close frame, as :class:`ws6455.framing.frames.Close` holds it."""

    @property
    def code(self) -> int: ...
    @property
    def reason(self) -> str: ...


class ResponseLike(Protocol):
    """An HTTP response, as :class:`ws6455.http1.head.Response` holds it."""

    status_code: int
    reason_phrase: str
    body: bytes

    @property
    def headers(self) -> Mapping[str, str]: ...


class WebSocketException(Exception):
    """Base of every exception that the library defines."""


# The open connection ----------------------------------------------------------------------


class ConnectionClosed(WebSocketException):
    """The connection is closed.

    Args:
        rcvd: the Close frame received, or None.
        sent: the Close frame sent, or None.
        rcvd_then_sent: whether the one received came first; None unless there were two.
    """

    def __init__(
        self,
        rcvd: CloseLike | None,
        sent: CloseLike | None,
        rcvd_then_sent: bool | None = None,
    ) -> None:
        super().__init__(rcvd, sent, rcvd_then_sent)
        self.rcvd = rcvd
        self.sent = sent
        self.rcvd_then_sent = rcvd_then_sent

    def __str__(self) -> str:
        if self.rcvd is None and self.sent is None:
            text = "no close frame received or sent"
        elif self.rcvd is None:
            text = f"sent {self.sent}; no close frame received"
        elif self.sent is None:
            text = f"received {self.rcvd}; no close frame sent"
        elif self.rcvd_then_sent:
            text = f"received {self.rcvd}; then sent {self.sent}"
        else:
            text = f"sent {self.sent}; then received {self.rcvd}"
        # The cause says why the connection was lost; logs without a traceback need it.
        return f"{text} ({self.__cause__})" if self.__cause__ is not None else text

    @property
    def code(self) -> int:
        """The close code received, 1006 when no Close frame arrived (§7.1.5)."""
        return 1006 if self.rcvd is None else self.rcvd.code

    @property
    def reason(self) -> str:
        """The close reason received, empty when no Close frame arrived (§7.1.6)."""
        return "" if self.rcvd is None else self.rcvd.reason


class ConnectionClosedOK(ConnectionClosed):
    """The connection closed normally: each side's close code is 1000, 1001 or absent."""


class ConnectionClosedError(ConnectionClosed):
    """The connection was closed by an error, or without a closing handshake."""


class ProtocolError(WebSocketException):
    """The peer or a call violated the protocol; `close_code` fails the connection."""

    close_code: int = 1002


class InvalidPayloadData(ProtocolError):
    """Text, or a close reason, is not UTF-8 (§8.1)."""

    close_code = 1007


class PayloadTooBig(WebSocketException):
    """A frame or message is above the limit.

    Args:
        size: bytes announced or received; None when they are not counted to the end.
        max_size: the limit in bytes.
        current_size: bytes of earlier fragments of the same message.
    """

    close_code: int = 1009

    def __init__(
        self, size: int | None, max_size: int | None, current_size: int | None = None
    ) -> None:
        super().__init__(size, max_size, current_size)
        self.size = size
        self.max_size = max_size
        self.current_size = current_size

    def __str__(self) -> str:
        size = "message" if self.size is None else f"frame with {self.size} bytes"
        after = f" after {self.current_size} bytes" if self.current_size else ""
        return f"{size}{after} exceeds the limit of {self.max_size} bytes: see max_size"


class TooManyFragments(WebSocketException):
    """A message has more fragments than the limit.

    Args:
        max_fragments: the limit.
    """

    close_code: int = 1009

    def __init__(self, max_fragments: int) -> None:
        super().__init__(max_fragments)
        self.max_fragments = max_fragments

    def __str__(self) -> str:
        return f"message exceeds the limit of {self.max_fragments} fragments: see max_fragments"


class InvalidState(WebSocketException, AssertionError):
    """A call does not fit the state of the connection."""


class ConcurrencyError(WebSocketException, RuntimeError):
    """Two calls overlapped that must not; the message names both."""


# The opening handshake --------------------------------------------------------------------


class InvalidURI(WebSocketException):
    """A URI is not a WebSocket URI (§3).

    Args:
        uri: the URI.
        msg: what is wrong with it.
    """

    def __init__(self, uri: str, msg: str = "not a WebSocket URI") -> None:
        super().__init__(uri, msg)
        self.uri = uri
        self.msg = msg

    def __str__(self) -> str:
        return f"{hide_credentials(self.uri)} isn't a valid URI: {self.msg}"


class InvalidProxy(WebSocketException):
    """The address of a proxy cannot be used.

    Args:
        proxy: the address.
        msg: what is wrong with it.
    """

    def __init__(self, proxy: str, msg: str) -> None:
        super().__init__(proxy, msg)
        self.proxy = proxy
        self.msg = msg

    def __str__(self) -> str:
        return f"{self.proxy} isn't a valid proxy: {self.msg}"


class InvalidHandshake(WebSocketException):
    """The opening handshake failed.

    A server answers with `status` and `status_headers`.
    """

    status: int = 400
    status_headers: Iterable[tuple[str, str]] = ()


class InvalidMessage(InvalidHandshake):
    """A request or response is not well-formed HTTP/1.1, or is incomplete."""


class NotHTTP(InvalidMessage):
    """The peer does not speak HTTP."""


class SecurityError(InvalidHandshake):
    """A request or response breaks a limit or rule that protects this side."""


class RequestLineTooLong(SecurityError):
    """The request line is above the limit."""

    status = 414


class StatusLineTooLong(SecurityError):
    """The status line is above the limit."""


class HeaderLineTooLong(SecurityError):
    """A header line is above the limit."""

    status = 431


class TooManyHeaders(SecurityError):
    """The head has more headers, or more bytes, than the limit."""

    status = 431


class InvalidMethod(InvalidHandshake):
    """The request's method is not GET (§4.2.1).

    Args:
        method: the method.
    """

    status = 405
    status_headers: Iterable[tuple[str, str]] = (("Allow", "GET"),)

    def __init__(self, method: str) -> None:
        super().__init__(method)
        self.method = method

    def __str__(self) -> str:
        return f"invalid HTTP method; expected GET; got {self.method}"


class InvalidProtocol(InvalidHandshake):
    """The message's version is not HTTP/1.1 (§4.2.1).

    Args:
        protocol: the version, such as ``HTTP/1.0``.
    """

    status = 505

    def __init__(self, protocol: str) -> None:
        super().__init__(protocol)
        self.protocol = protocol

    def __str__(self) -> str:
        return f"invalid HTTP version; expected HTTP/1.1; got {self.protocol}"


class InvalidStatus(InvalidHandshake):
    """The server answered with a status other than 101.

    Args:
        response: the response, with its headers and a bounded body.
    """

    def __init__(self, response: ResponseLike) -> None:
        super().__init__(response)
        self.response = response

    def __str__(self) -> str:
        return f"server rejected WebSocket connection: HTTP {self.response.status_code}"


class ProxyError(InvalidHandshake):
    """The proxy did not connect to the server."""


class InvalidProxyMessage(ProxyError):
    """The proxy's response is not well-formed HTTP, or is incomplete."""


class InvalidProxyStatus(ProxyError):
    """The proxy refused to connect.

    Args:
        response: the response, with the part of its body that came with the head.
    """

    def __init__(self, response: ResponseLike) -> None:
        super().__init__(response)
        self.response = response

    def __str__(self) -> str:
        return f"proxy rejected connection: HTTP {self.response.status_code}"


class InvalidHeader(InvalidHandshake):
    """A header is absent, or has a value that the handshake does not allow.

    Args:
        name: the header's name.
        value: its value; None when it is absent.
    """

    def __init__(self, name: str, value: str | None = None) -> None:
        # No super().__init__(): `args` stay what a subclass was made with, as pickle needs.
        self.name = name
        self.value = value

    def __str__(self) -> str:
        if self.value is None:
            return f"missing {self.name} header"
        if self.value == "":
            return f"empty {self.name} header"
        return f"invalid {self.name} header: {self.value}"


class InvalidHeaderFormat(InvalidHeader):
    """A header does not follow its grammar.

    Args:
        name: the header's name.
        error: the error, such as what was expected.
        header: the whole value of the header.
        pos: position of the error in the value.
    """

    def __init__(self, name: str, error: str, header: str, pos: int) -> None:
        super().__init__(name, f"{error} at {pos} in {header}")


class InvalidHeaderValue(InvalidHeader):
    """A header's name or value has invalid characters, or the value is wrong."""


class InvalidOrigin(InvalidHeader):
    """The server does not allow the request's Origin.

    Args:
        origin: the origin; None when the header is required and absent.
    """

    status = 403

    def __init__(self, origin: str | None) -> None:
        super().__init__("Origin", origin)


class InvalidUpgrade(InvalidHeader):
    """Connection or Upgrade does not request, or accept, a WebSocket connection."""

    status = 426
    status_headers: Iterable[tuple[str, str]] = (("Upgrade", "websocket"),)


class UnsupportedVersion(InvalidHeader):
    """The client requests a version of the protocol other than 13 (§4.4)."""

    status = 426
    status_headers: Iterable[tuple[str, str]] = (("Sec-WebSocket-Version", "13"),)


class NegotiationError(InvalidHandshake):
    """The two sides do not agree on an extension or subprotocol."""


class DuplicateParameter(NegotiationError):
    """An extension parameter is given twice.

    Args:
        name: the parameter.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"duplicate parameter: {self.name}"


class InvalidParameterName(NegotiationError):
    """An extension parameter is unknown to the extension.

    Args:
        name: the parameter.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"invalid parameter name: {self.name}"


class InvalidParameterValue(NegotiationError):
    """An extension parameter has an invalid value.

    Args:
        name: the parameter.
        value: its value; None when a required value is absent.
    """

    def __init__(self, name: str, value: str | None) -> None:
        super().__init__(name, value)
        self.name = name
        self.value = value

    def __str__(self) -> str:
        if self.value is None:
            return f"missing value for parameter {self.name}"
        if self.value == "":
            return f"empty value for parameter {self.name}"
        return f"invalid value for parameter {self.name}: {self.value}"
