"""Redirects: the next URI of a client, and the headers that may be sent to it.

RFC 9110 §15.4 (redirection), RFC 6455 §4.1 (step 4 of the client's requirements allows it). No
I/O: a front end opens the next connection.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Any

from ..exceptions import InvalidStatus, InvalidURI, ResponseLike, SecurityError
from ..http1.headers import SECRET_HEADERS, Headers, HeadersLike, MultipleValuesError
from ..http1.uri import URI_CHARACTERS, WebSocketURI, parse_uri, uri_text
from ..settings import setting
from ..typing import Provided
from .request_headers import check_headers

__all__ = ["MAX_REDIRECTS", "Destination", "first_destination", "location_of"]

MAX_REDIRECTS = setting("MAX_REDIRECTS", 10)

_STATUSES = frozenset({300, 301, 302, 303, 307, 308})
_COUNTERPARTS = {"http": "ws", "https": "wss"}


def location_of(response: ResponseLike) -> str | None:
    """Return the Location of a response that redirects; None if it does not, or has several."""
    if response.status_code not in _STATUSES:
        return None
    try:
        return response.headers.get("Location")
    except MultipleValuesError:
        return None


def redirect_target(exc: Exception, uri: str) -> str | None:
    """Return the URI that a refusal redirects to, or None if it does not redirect.

    Args:
        exc: the error that ended the handshake.
        uri: URI of the request.

    Raises:
        InvalidURI: if the location cannot be resolved.
    """
    location = location_of(exc.response) if isinstance(exc, InvalidStatus) else None
    if location is None:
        return None
    # The head is decoded as ISO-8859-1. Servers also send UTF-8, and spaces; both are encoded.
    encoded = urllib.parse.quote(location.encode("latin-1"), safe=URI_CHARACTERS)
    return websocket_uri(encoded, uri)


def websocket_uri(target: str, base: str) -> str:
    """Return the absolute WebSocket URI for the target of a redirect.

    Args:
        target: an absolute or relative URI. ``http://`` and ``https://`` are replaced by ``ws://``
            and ``wss://``. A fragment is dropped: a WebSocket URI has none (RFC 6455 §3).
        base: the URI that a relative one is resolved against.

    Raises:
        InvalidURI: if it cannot be resolved.
    """
    try:
        joined = urllib.parse.urljoin(base, target)
    except ValueError as exc:
        raise InvalidURI(target, str(exc)) from exc
    scheme, _, rest = joined.partition("#")[0].partition(":")
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


def for_another_origin(headers: HeadersLike | None) -> Headers:
    """Return a copy of headers without Host and credentials, which are meant for one origin."""
    copy = Headers() if headers is None else Headers(headers)
    for name in (*SECRET_HEADERS, "Host"):
        if name in copy:
            del copy[name]
    return copy


# Options that override the address of the first URI; they do not apply to another origin.
_ADDRESS_OPTIONS = ("unix", "host", "port", "address")


class Destination:
    """URI and additional headers of the next request, redirects included.

    Args:
        uri: the first URI.
        headers: additional headers of the caller, see
            :func:`~ws6455.client.request_headers.check_headers`.
        given: other options of the caller; only `ssl`, `sock` and those that override the
            address are used.

    Attributes:
        uri: the URI to open.
        ws_uri: the same, parsed.
        headers: additional headers; Host and credentials are removed when the origin changes.

    Raises:
        InvalidURI: if the URI is not a WebSocket URI.
        TypeError: if it is neither a string nor an object whose ``str()`` is a URI.
        TypeError, ValueError: if the headers cannot be sent, or `ssl` was given and the URI is
            not secure.
    """

    def __init__(self, uri: object, headers: HeadersLike | None, given: Mapping[str, Any]) -> None:
        self._given = given
        self._redirects_left = MAX_REDIRECTS
        self.uri: str = uri_text(uri)
        self.ws_uri: WebSocketURI = parse_uri(self.uri)
        self._check_ssl(self.ws_uri)
        self.headers: Headers = check_headers(headers)

    def _check_ssl(self, ws_uri: WebSocketURI) -> None:
        if not ws_uri.secure and self._given.get("ssl") is not None:
            raise ValueError("ssl argument is incompatible with a ws:// URI")

    def redirect(self, exc: Exception) -> str | None:
        """Find and check the target of a redirect; nothing changes until :meth:`move`.

        Args:
            exc: the error that ended the handshake.

        Returns:
            The new URI, or None if the error is not a redirect.

        Raises:
            InvalidURI, ValueError, SecurityError: see :meth:`move`.
        """
        target = redirect_target(exc, self.uri)
        if target is not None:
            self._check_target(target)
        return target

    def move(self, target: str) -> None:
        """Follow a redirect.

        Args:
            target: the new URI; see :func:`websocket_uri`.

        Raises:
            InvalidURI: if it is not a WebSocket URI.
            ValueError: if the caller's options do not apply to it.
            SecurityError: if it leads from TLS to plain text, or there were too many redirects.
        """
        uri = websocket_uri(target, self.uri)
        ws_uri = self._check_target(uri)
        self._redirects_left -= 1
        if not same_origin(self.ws_uri, ws_uri):
            self.headers = for_another_origin(self.headers)
        self.uri, self.ws_uri = uri, ws_uri

    def _check_target(self, uri: str) -> WebSocketURI:
        if not self._redirects_left:
            raise SecurityError(f"more than {MAX_REDIRECTS} redirects")
        ws_uri = parse_uri(uri)
        if self._given.get("sock") is not None:
            raise ValueError(f"cannot follow a redirect to {ws_uri} on a given socket")
        check_redirect(self.ws_uri, ws_uri)
        self._check_ssl(ws_uri)
        if not same_origin(self.ws_uri, ws_uri):
            for option in _ADDRESS_OPTIONS:
                if self._given.get(option):
                    raise ValueError(f"cannot follow a redirect to {ws_uri} with a given {option}")
        return ws_uri


def first_destination(
    uri: Provided[str], headers: Provided[HeadersLike | None], given: Mapping[str, Any]
) -> Destination | None:
    """Return the destination of a client before its first attempt; None if the URI is a callable.

    Headers that are a callable are missing in it.

    Args:
        uri: see :class:`Destination`.
        headers: see there.
        given: see there.

    Raises:
        InvalidURI, TypeError, ValueError: see :class:`Destination`.
    """
    known = None if callable(headers) else headers
    if not callable(uri):
        return Destination(uri, known, given)
    check_headers(known)
    return None
