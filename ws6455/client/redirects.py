"""Redirects: where a refused handshake sends a client, and what it may take there.

RFC 9110 §15.4 (redirection), RFC 6455 §4.1 (step 4 of the client's requirements allows it). Pure
functions: a front end opens the next connection.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Any

from ..exceptions import InvalidStatus, SecurityError
from ..http1.headers import SECRET_HEADERS, Headers, HeadersLike
from ..http1.uri import WebSocketURI, parse_uri
from ..settings import setting

__all__ = ["MAX_REDIRECTS", "Destination"]

MAX_REDIRECTS = setting("MAX_REDIRECTS", 10)

_STATUSES = frozenset({300, 301, 302, 303, 307, 308})
_COUNTERPARTS = {"http": "ws", "https": "wss"}


def redirect_target(exc: Exception, uri: str) -> str | None:
    """Return the URI that a refusal redirects to, or None if it does not redirect.

    Args:
        exc: why the handshake failed.
        uri: the one that was asked for; the new one may be relative to it. An ``http://`` or
            ``https://`` URI stands for its WebSocket counterpart.
    """
    if not isinstance(exc, InvalidStatus) or exc.response.status_code not in _STATUSES:
        return None
    location = exc.response.headers.get("Location")
    if location is None:
        return None
    scheme, _, rest = urllib.parse.urljoin(uri, location).partition(":")
    scheme = scheme.lower()
    return f"{_COUNTERPARTS.get(scheme, scheme)}:{rest}"


def same_origin(one: WebSocketURI, other: WebSocketURI) -> bool:
    """Whether two URIs have the scheme, the host and the port in common (RFC 6454 §5)."""
    return (one.secure, one.host, one.port) == (other.secure, other.host, other.port)


def check_redirect(old: WebSocketURI, new: WebSocketURI) -> None:
    """Check that a redirect gives nothing away that was to be encrypted.

    Raises:
        SecurityError: if it leads from TLS to plain text.
    """
    if old.secure and not new.secure:
        raise SecurityError(f"redirect from TLS to plain text: {new.host}:{new.port}")


def without_secrets(headers: HeadersLike | None) -> Headers:
    """Return a copy of a caller's headers without those that are meant for one origin."""
    copy = Headers() if headers is None else Headers(headers)
    for name in SECRET_HEADERS:
        if name in copy:
            del copy[name]
    return copy


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
