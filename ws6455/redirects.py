"""Where a refused handshake sends a client, and what it may take there.

RFC 9110 §15.4 (redirection), RFC 6455 §4.1 (step 4 of the client's requirements allows it). Pure
functions: a front end opens the next connection.
"""

from __future__ import annotations

import urllib.parse

from .exceptions import InvalidStatus, SecurityError
from .http1.headers import Headers, HeadersLike
from .http1.uri import WebSocketURI
from .settings import setting

__all__ = ["MAX_REDIRECTS", "check_redirect", "redirect_target", "same_origin", "without_secrets"]

MAX_REDIRECTS = setting("MAX_REDIRECTS", 10)

_STATUSES = frozenset({300, 301, 302, 303, 307, 308})
_COUNTERPARTS = {"http": "ws", "https": "wss"}
_SECRET_HEADERS = ("Authorization", "Cookie", "Proxy-Authorization")


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
    for name in _SECRET_HEADERS:
        if name in copy:
            del copy[name]
    return copy
