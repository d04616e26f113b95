"""The opening handshake by hand, on headers alone, as in versions 8 to 13.

RFC 6455 §4.
"""

from __future__ import annotations

from ..http1.head import Request, Response
from ..http1.headers import Headers
from ..protocol import handshake

__all__ = ["build_request", "build_response", "check_request", "check_response"]


def build_request(headers: Headers) -> str:
    """Add a client's headers to a request.

    Returns:
        The Sec-WebSocket-Key, for :func:`check_response`.
    """
    key = handshake.generate_key()
    headers["Upgrade"] = "websocket"
    headers["Connection"] = "Upgrade"
    headers["Sec-WebSocket-Key"] = key
    headers["Sec-WebSocket-Version"] = "13"
    return key


def check_request(headers: Headers) -> str:
    """Check a client's headers.

    Returns:
        The Sec-WebSocket-Key, for :func:`build_response`.

    Raises:
        InvalidHandshake: if they ask for no WebSocket connection.
    """
    if "Host" not in headers:
        headers = Headers(headers, Host="localhost")  # versions 8 to 13 did not look at it
    return handshake.check_request(Request("/", headers))


def build_response(headers: Headers, key: str) -> None:
    """Add a server's headers to a response.

    Args:
        headers: the response's.
        key: what :func:`check_request` gave.
    """
    headers["Upgrade"] = "websocket"
    headers["Connection"] = "Upgrade"
    headers["Sec-WebSocket-Accept"] = handshake.accept_key(key)


def check_response(headers: Headers, key: str) -> None:
    """Check a server's headers.

    Args:
        headers: the response's.
        key: what :func:`build_request` gave.

    Raises:
        InvalidHandshake: if they do not accept the WebSocket connection.
    """
    response = Response(101, "Switching Protocols", headers)
    handshake.check_response(response, "HTTP/1.1", key)
