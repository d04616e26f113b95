"""Redirects: the next URI of a client, and the headers that may be sent to it.

RFC 9110 §15.4 (redirection), RFC 6455 §4.1 (step 4 of the client's requirements allows it). No
I/O: a front end opens the next connection.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Any

from ..exceptions import InvalidStatus, SecurityError
from ..http1.headers import SECRET_HEADERS, Headers, HeadersLike
from ..http1.uri import WebSocketURI, parse_uri, uri_text
from ..settings import setting

__all__ = ["MAX_REDIRECTS", "Destination"]

MAX_REDIRECTS = setting("MAX_REDIRECTS", 10)

_STATUSES = frozenset({300, 301, 302, 303, 307, 308})
_COUNTERPARTS = {"http": "ws", "https": "wss"}


def redirect_target(exc: Exception, uri: str) -> str | None:
    """Return the URI that a refusal redirects to, or None if it does not redirect.

    Args:
        exc: the error that ended the handshake.
        uri: URI of the request; a relative Location is resolved against it. ``http://`` and
            ``https://`` are replaced by ``ws://`` and ``wss://``.
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
    """Return True if two URIs have the same scheme, host and port (RFC 6454 §5)."""
    return (one.secure, one.host, one.port) == (other.secure, other.host, other.port)


def check_redirect(old: WebSocketURI, new: WebSocketURI) -> None:
    """Check that a redirect does not lead from TLS to plain text.

    Raises:
        SecurityError: if it does.
    """
    if old.secure and not new.secure:
        raise SecurityError(f"redirect from TLS to plain text: {new.host}:{new.port}")


def without_secrets(headers: HeadersLike | None) -> Headers:
    """Return a copy of headers without credentials, which are meant for one origin."""
    copy = Headers() if headers is None else Headers(headers)
    for name in SECRET_HEADERS:
        if name in copy:
            del copy[name]
    return copy


# Options that override the address of the first URI; they do not apply to another origin.
_ADDRESS_OPTIONS = ("unix", "host", "port", "address")


class Destination:
    """URI and additional headers of the next request, redirects included.

    Args:
        uri: the first URI.
        headers: additional headers of the caller.
        given: other options of the caller; only `ssl`, `sock` and those that override the
            address are used.

    Attributes:
        uri: the URI to open.
        ws_uri: the same, parsed.
        headers: additional headers; credentials are removed when the origin changes.

    Raises:
        InvalidURI: if the URI is not a WebSocket URI.
        TypeError: if it is neither a string nor an object whose ``str()`` is a URI.
        ValueError: if `ssl` was given and the URI is not secure.
    """

    def __init__(self, uri: object, headers: HeadersLike | None, given: Mapping[str, Any]) -> None:
        self._given = given
        self._redirects_left = MAX_REDIRECTS
        self.uri: str = uri_text(uri)
        self.ws_uri: WebSocketURI = parse_uri(self.uri)
        self._check_ssl(self.ws_uri)
        self.headers = headers

    def _check_ssl(self, ws_uri: WebSocketURI) -> None:
        if not ws_uri.secure and self._given.get("ssl") is not None:
            raise ValueError("ssl argument is incompatible with a ws:// URI")

    def redirect(self, exc: Exception) -> str | None:
        """Follow the redirect of a refusal.

        Args:
            exc: the error that ended the handshake.

        Returns:
            The new URI, or None if the error is not a redirect.

        Raises:
            InvalidURI: if the new URI is not a WebSocket URI.
            ValueError: if the caller's options do not apply to it.
            SecurityError: if it leads from TLS to plain text, or there were too many redirects.
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
            for option in _ADDRESS_OPTIONS:
                if self._given.get(option):
                    raise ValueError(f"cannot follow a redirect to {ws_uri} with a given {option}")
            self.headers = without_secrets(self.headers)
        self.uri, self.ws_uri = target, ws_uri
        return target
