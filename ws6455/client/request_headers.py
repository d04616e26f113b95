"""Additional headers of a client's request: checks, and what they replace.

RFC 6455 §4.1 (the request), RFC 9110 §5.3 (headers that occur once).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..exceptions import InvalidHeaderFormat
from ..http1.header_values import parse_token_list
from ..http1.headers import Headers, HeadersLike, SupportsKeysAndGetItem
from ..typing import Provided

__all__ = ["check_headers", "merge_headers", "repeatable"]

_PROTOCOL = "Sec-WebSocket-Protocol"
# Additional headers that replace those of the library. Each of them occurs once in a request.
_REPLACEABLE = frozenset({"authorization", "host", "origin", "user-agent"})
_HANDSHAKE = "it belongs to the opening handshake"
_NO_BODY = "the request has no body"
_RESERVED = {
    "connection": _HANDSHAKE,
    "content-length": _NO_BODY,
    "sec-websocket-accept": "it belongs to the response",
    "sec-websocket-extensions": "use the option compression or extensions",
    "sec-websocket-key": _HANDSHAKE,
    "sec-websocket-version": _HANDSHAKE,
    "transfer-encoding": _NO_BODY,
    "upgrade": _HANDSHAKE,
}


def check_headers(headers: HeadersLike | None) -> Headers:
    """Check additional headers.

    Returns:
        A copy.

    Raises:
        TypeError: if they are not headers, or a name or value is not a string.
        ValueError: if one of them must not be set, occurs twice but must not, or is a list of
            subprotocols that is malformed.
        InvalidHeaderValue: if a name or value contains characters that are not allowed.
    """
    checked = Headers()
    for name, value in _pairs(headers):
        if not isinstance(name, str):
            raise TypeError(f"additional_headers: a name must be str, not {name!r}")
        if not isinstance(value, str):
            kind = type(value).__name__
            raise TypeError(f"additional_headers: the value of {name} must be str, not {kind}")
        reason = _RESERVED.get(name.lower())
        if reason is not None:
            raise ValueError(f"additional_headers must not contain {name}: {reason}")
        if name.lower() in _REPLACEABLE and name in checked:
            raise ValueError(f"additional_headers must not contain {name} twice")
        checked[name] = value
    _subprotocols(checked)  # raises
    return checked


def repeatable(headers: Provided[HeadersLike | None]) -> Provided[HeadersLike | None]:
    """Return headers that can be read for each attempt: an iterator becomes a list."""
    return list(headers) if isinstance(headers, Iterator) else headers


def _pairs(headers: HeadersLike | None) -> Iterable[tuple[object, object]]:
    if headers is None:
        return ()
    if isinstance(headers, Headers):
        return headers.raw_items()
    if isinstance(headers, Mapping):
        return headers.items()
    if isinstance(headers, SupportsKeysAndGetItem):
        return [(name, headers[name]) for name in headers.keys()]  # noqa: SIM118 - not iterable
    if isinstance(headers, str | bytes) or not isinstance(headers, Iterable):
        raise TypeError("additional_headers must be a mapping, or pairs of name and value")
    return headers


def _subprotocols(headers: Headers) -> list[str]:
    """Return the subprotocols that headers offer.

    Raises:
        ValueError: if the list is malformed.
    """
    try:
        return [
            name
            for value in headers.get_all(_PROTOCOL)
            for name in parse_token_list(_PROTOCOL, value)
        ]
    except InvalidHeaderFormat as exc:
        raise ValueError(f"additional_headers: {exc}") from exc


def merge_headers(headers: Headers, additional: Headers) -> Headers:
    """Return the headers of a request, with additional ones.

    Authorization, Host, Origin and User-Agent are replaced. Subprotocols are joined into one
    header, each of them once (RFC 6455 §4.1). Others are appended.

    Args:
        headers: the request's own headers.
        additional: see :func:`check_headers`.
    """
    offered = dict.fromkeys(_subprotocols(headers) + _subprotocols(additional))
    merged: list[tuple[str, str]] = []
    places: dict[str, int] = {}  # of the headers that occur once
    for name, value in (*headers.raw_items(), *additional.raw_items()):
        lower = name.lower()
        item = (name, ", ".join(offered) if lower == _PROTOCOL.lower() else value)
        if lower in places:
            merged[places[lower]] = item
            continue
        if lower in _REPLACEABLE or lower == _PROTOCOL.lower():
            places[lower] = len(merged)
        merged.append(item)
    return Headers(merged)
