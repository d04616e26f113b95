"""Where a client goes next, as redirects lead it.

RFC 6455 §4.1. A front end opens the connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .exceptions import SecurityError
from .http1.headers import HeadersLike
from .http1.uri import WebSocketURI, parse_uri
from .redirects import (
    MAX_REDIRECTS,
    check_redirect,
    redirect_target,
    same_origin,
    without_secrets,
)

__all__ = ["Destination"]

# What makes the way to the first URI another than its own: a redirect elsewhere cannot take it.
_FIXED_WAYS = ("unix", "host", "port", "address")


class Destination:
    """Where to, and with which headers.

    Args:
        uri: the first URI.
        headers: the caller's, for the request.
        given: the caller's other options, of which `ssl`, `sock` and those that fix the way to
            the first URI count.

    Attributes:
        uri: the URI to open.
        ws_uri: the same, parsed.
        headers: to add to the request; without what is meant for another origin.

    Raises:
        InvalidURI: if the URI is not a WebSocket URI.
        ValueError: if `ssl` was given and the URI is not secure.
    """

    def __init__(self, uri: str, headers: HeadersLike | None, given: Mapping[str, Any]) -> None:
        self._given = given
        self._redirects_left = MAX_REDIRECTS
        self.uri = uri
        self.ws_uri = parse_uri(uri)
        self._check_ssl(self.ws_uri)
        self.headers = headers

    def _check_ssl(self, ws_uri: WebSocketURI) -> None:
        if not ws_uri.secure and self._given.get("ssl") is not None:
            raise ValueError("ssl argument is incompatible with a ws:// URI")

    def redirect(self, exc: Exception) -> str | None:
        """Go where a refusal redirects to.

        Args:
            exc: why the handshake failed.

        Returns:
            The new URI, or None if it does not redirect.

        Raises:
            InvalidURI, ValueError: if the caller's options do not lead there.
            SecurityError: if it leads from TLS to plain text, or is one too many.
        """
        target = redirect_target(exc, self.uri)
        if target is None:
            return None
        if not self._redirects_left:
            raise SecurityError(f"more than {MAX_REDIRECTS} redirects")
        self._redirects_left -= 1
        ws_uri = parse_uri(target)
        if self._given.get("sock") is not None:
            raise ValueError(f"cannot follow a redirect to {ws_uri} on a given socket")
        check_redirect(self.ws_uri, ws_uri)
        self._check_ssl(ws_uri)
        if not same_origin(self.ws_uri, ws_uri):
            for option in _FIXED_WAYS:
                if self._given.get(option):
                    raise ValueError(f"cannot follow a redirect to {ws_uri} with a given {option}")
            self.headers = without_secrets(self.headers)
        self.uri, self.ws_uri = target, ws_uri
        return target
