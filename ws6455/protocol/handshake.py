"""Opening handshake: build and check requests and responses, and negotiate.

RFC 6455 §4. Pure functions of HTTP messages.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import os
import re
from collections.abc import Callable, Sequence

from ..exceptions import (
    InvalidHandshake,
    InvalidHeader,
    InvalidHeaderFormat,
    InvalidHeaderValue,
    InvalidMethod,
    InvalidOrigin,
    InvalidProtocol,
    InvalidStatus,
    InvalidUpgrade,
    NegotiationError,
    UnsupportedVersion,
)
from ..framing.deflate import PerMessageDeflate
from ..http1.basic_auth import build_authorization_basic
from ..http1.caches import cached_tokens
from ..http1.head import Request, Response
from ..http1.header_values import (
    HOST,
    TOKEN,
    build_extension_list,
    build_host,
    parse_extension_list,
    parse_token_list,
)
from ..http1.headers import Headers, MultipleValuesError
from ..http1.uri import WebSocketURI
from ..typing import ExtensionHeader
from .deflate_negotiation import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

__all__ = [
    "Origins",
    "accept_key",
    "answer_extensions",
    "answer_subprotocol",
    "build_refusal",
    "build_request",
    "build_response",
    "check_extensions",
    "check_origin",
    "check_request",
    "check_response",
    "check_subprotocol",
    "generate_key",
    "validate_subprotocols",
]

Origins = Sequence[str | re.Pattern[str] | None]

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = "Sec-WebSocket-Key"
_ACCEPT = "Sec-WebSocket-Accept"
_VERSION = "Sec-WebSocket-Version"
_EXTENSIONS = "Sec-WebSocket-Extensions"
_PROTOCOL = "Sec-WebSocket-Protocol"

# The likely reasons for a request without Upgrade, or of HTTP/1.0, which proxies use by default.
_UPGRADE_HINT = """
You cannot access a WebSocket server directly with a browser.

If a proxy is in front of this server, it does not pass on the request to upgrade. nginx needs:

    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
"""


def generate_key() -> str:
    """Return a fresh Sec-WebSocket-Key: 16 random bytes in base64 (§4.1)."""
    return base64.b64encode(os.urandom(16)).decode()


def accept_key(key: str) -> str:
    """Return the Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (§4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()


def validate_subprotocols(subprotocols: Sequence[str]) -> None:
    """Check a list of subprotocols given as an option.

    Raises:
        TypeError: if it is not a sequence of strings, or is one string.
        ValueError: if one of them is not a token.
    """
    if isinstance(subprotocols, str) or not isinstance(subprotocols, Sequence):
        raise TypeError("subprotocols must be a sequence of strings")
    for subprotocol in subprotocols:
        if not isinstance(subprotocol, str):
            raise TypeError("subprotocols must be a sequence of strings")
        if TOKEN.fullmatch(subprotocol) is None:
            raise ValueError(f"invalid subprotocol: {subprotocol!r}")


# The request --------------------------------------------------------------------------------


def build_request(
    uri: WebSocketURI,
    key: str,
    *,
    origin: str | None = None,
    extensions: Sequence[ClientPerMessageDeflateFactory] = (),
    subprotocols: Sequence[str] = (),
) -> Request:
    """Build a client's request (§4.1).

    Args:
        uri: URI of the server; its credentials become HTTP Basic authentication (RFC 7617).
        key: see :func:`generate_key`.
        origin: the value of Origin.
        extensions: extensions to offer, preferred first.
        subprotocols: subprotocols to offer, preferred first.
    """
    headers = Headers()
    headers["Host"] = build_host(uri.host, uri.port, uri.secure)
    if uri.user_info is not None:
        headers["Authorization"] = build_authorization_basic(*uri.user_info)
    if origin is not None:
        headers["Origin"] = origin
    headers["Upgrade"] = "websocket"
    headers["Connection"] = "Upgrade"
    headers[_KEY] = key
    headers[_VERSION] = "13"
    if extensions:
        headers[_EXTENSIONS] = build_extension_list(
            [(factory.name, factory.get_request_params()) for factory in extensions]
        )
    if subprotocols:
        headers[_PROTOCOL] = ", ".join(subprotocols)
    return Request(uri.resource_name, headers)


def check_request(request: Request) -> str:
    """Check that a request is a valid opening handshake (§4.2.1).

    Returns:
        Its Sec-WebSocket-Key.

    Raises:
        InvalidHandshake: if it is not; its `status` is the HTTP status to answer with.
    """
    headers = request.headers
    if request.protocol != "HTTP/1.1":
        raise InvalidProtocol(request.protocol)
    if request.method != "GET":
        raise InvalidMethod(request.method)
    host = _one(headers, "Host")
    if HOST.fullmatch(host) is None:  # RFC 9112 §3.2
        raise InvalidHeaderValue("Host", host)
    if "upgrade" not in _tokens(headers, "Connection"):
        raise InvalidUpgrade("Connection", ", ".join(headers.get_all("Connection")) or None)
    if "websocket" not in _tokens(headers, "Upgrade"):
        raise InvalidUpgrade("Upgrade", ", ".join(headers.get_all("Upgrade")) or None)
    key = _one(headers, _KEY)
    try:
        nonce = binascii.a2b_base64(key, strict_mode=True)
    except (binascii.Error, ValueError) as exc:
        raise InvalidHeaderValue(_KEY, key) from exc
    if len(nonce) != 16:
        raise InvalidHeaderValue(_KEY, key)
    version = _one(headers, _VERSION)
    if version != "13":
        if re.fullmatch("0|[1-9][0-9]{0,2}", version) is None:
            raise InvalidHeaderValue(_VERSION, version)
        raise UnsupportedVersion(_VERSION, version)
    return key


def check_origin(headers: Headers, origins: Origins | None) -> str | None:
    """Check a request's Origin against an allow list; each entry is matched in full (§10.2).

    Args:
        headers: headers of the request.
        origins: allowed origins and patterns; None in the list allows a request without the
            header; None instead of a list allows every request.

    Returns:
        The origin, or None.

    Raises:
        InvalidOrigin: if it is not on the list.
        InvalidHeader: if there are several.
    """
    origin = _one(headers, "Origin") if "Origin" in headers else None
    if origins is None:
        return origin
    for allowed in origins:
        if origin == allowed:
            return origin
        if (
            origin is not None
            and isinstance(allowed, re.Pattern)
            and allowed.fullmatch(origin) is not None
        ):
            return origin
    raise InvalidOrigin(origin)


def answer_extensions(
    headers: Headers, factories: Sequence[ServerPerMessageDeflateFactory]
) -> tuple[ExtensionHeader, PerMessageDeflate] | None:
    """Accept the first acceptable offer of a client (§9.1, RFC 7692 §5.1).

    Returns:
        The answer and the extension; None if no offer is acceptable.

    Raises:
        InvalidHeaderFormat: if the header is malformed.
    """
    offers = [
        offer for value in headers.get_all(_EXTENSIONS) for offer in parse_extension_list(value)
    ]
    for name, params in offers:
        for factory in factories:
            if name != factory.name:
                continue
            try:
                answer, extension = factory.process_request_params(params)
            except NegotiationError:
                continue  # declined: try the next
            return (name, answer), extension
    return None


def answer_subprotocol(
    headers: Headers, select: Callable[[Sequence[str]], str | None]
) -> str | None:
    """Choose one of the subprotocols that a client offers (§4.2.2).

    Args:
        headers: headers of the request; a repeated header forms one list.
        select: returns the subprotocol chosen, or None; see
            :meth:`ws6455.protocol.server.ServerProtocol.select_subprotocol`.

    Raises:
        InvalidHeader: if the header is malformed or repeats a subprotocol.
        NegotiationError: if `select` raises it.
    """
    offered = [
        token
        for value in headers.get_all(_PROTOCOL)
        for token in parse_token_list(_PROTOCOL, value)
    ]
    if len(set(offered)) < len(offered):
        raise InvalidHeaderValue(_PROTOCOL, ", ".join(offered))  # §4.1: they must be unique
    return select(offered)


# The response -------------------------------------------------------------------------------


def build_response(
    key: str,
    extension: ExtensionHeader | None = None,
    subprotocol: str | None = None,
    date: str | None = None,
) -> Response:
    """Build the server's 101 response (§4.2.2).

    Args:
        key: Sec-WebSocket-Key of the request.
        extension: extension accepted, or None.
        subprotocol: subprotocol chosen, or None.
        date: value of Date; None for no Date.
    """
    headers = _accepting_headers(date).copy()
    headers[_ACCEPT] = accept_key(key)
    if extension is not None:
        headers[_EXTENSIONS] = build_extension_list([extension])
    if subprotocol is not None:
        headers[_PROTOCOL] = subprotocol
    return Response(101, "Switching Protocols", headers)


@functools.lru_cache(maxsize=1)
def _accepting_headers(date: str | None) -> Headers:
    """Return the headers shared by the 101 responses of one second; do not modify them."""
    headers = Headers() if date is None else Headers(Date=date)
    headers.update({"Upgrade": "websocket", "Connection": "Upgrade"})
    return headers


def build_refusal(exc: InvalidHandshake) -> Response:
    """Build the response that refuses a request because of an error."""
    text = f"Failed to open a WebSocket connection: {exc}.\n"
    http_1_0 = isinstance(exc, InvalidProtocol) and exc.protocol == "HTTP/1.0"
    if http_1_0 or isinstance(exc, InvalidUpgrade):
        text += _UPGRADE_HINT
    response = Response.text(exc.status, text)
    response.headers.update(exc.status_headers)
    return response


def check_response(response: Response, protocol: str, key: str) -> None:
    """Check that a response accepts the WebSocket connection (§4.1).

    Args:
        response: the response.
        protocol: its HTTP version.
        key: Sec-WebSocket-Key of the request.

    Raises:
        InvalidStatus: if the status is not 101.
        InvalidHandshake: if anything else is wrong.
    """
    headers = response.headers
    if response.status_code != 101:
        raise InvalidStatus(response)
    if protocol != "HTTP/1.1":
        raise InvalidProtocol(protocol)
    if "upgrade" not in _tokens(headers, "Connection"):
        raise InvalidUpgrade("Connection", ", ".join(headers.get_all("Connection")) or None)
    if _tokens(headers, "Upgrade") != ("websocket",):
        raise InvalidUpgrade("Upgrade", ", ".join(headers.get_all("Upgrade")) or None)
    accept = _one(headers, _ACCEPT)
    if accept != accept_key(key):
        raise InvalidHeaderValue(_ACCEPT, accept)


def check_extensions(
    headers: Headers, factories: Sequence[ClientPerMessageDeflateFactory]
) -> PerMessageDeflate | None:
    """Check the extensions of a response against those offered (§4.1, RFC 7692 §5.1).

    Raises:
        NegotiationError: if an extension was not offered, if there is more than one, or if the
            parameters fit none of the offers.
        InvalidHeaderFormat: if the header is malformed.
    """
    accepted: PerMessageDeflate | None = None
    answers = [
        answer for value in headers.get_all(_EXTENSIONS) for answer in parse_extension_list(value)
    ]
    for name, params in answers:
        if accepted is not None:
            raise NegotiationError(f"more than one extension: {build_extension_list(answers)}")
        mismatch: NegotiationError | None = None
        for factory in factories:
            if factory.name != name:
                continue
            try:
                accepted = factory.process_response_params(params)
            except NegotiationError as exc:
                mismatch = exc
            else:
                break
        else:
            raise NegotiationError(
                f"unsupported extension: {build_extension_list([(name, params)])}"
            ) from mismatch
    return accepted


def check_subprotocol(headers: Headers, offered: Sequence[str]) -> str | None:
    """Check the subprotocol of a response against those offered (§4.1).

    Raises:
        NegotiationError: if it was not offered, or is empty.
        InvalidHeader: if there is more than one.
    """
    if _PROTOCOL not in headers:
        return None
    subprotocol = _one(headers, _PROTOCOL)
    if subprotocol not in offered:
        raise NegotiationError(f"unsupported subprotocol: {subprotocol or '(empty)'}")
    return subprotocol


# Headers ------------------------------------------------------------------------------------


def _one(headers: Headers, name: str) -> str:
    """Return the value of a header that must occur exactly once."""
    try:
        return headers[name]
    except MultipleValuesError as exc:
        raise InvalidHeader(name, f"more than one: {', '.join(headers.get_all(name))}") from exc
    except KeyError as exc:
        raise InvalidHeader(name) from exc


def _tokens(headers: Headers, name: str) -> tuple[str, ...]:
    """Return the tokens of Connection or Upgrade in lower case; () if the header is malformed."""
    return _parse_tokens(name, *headers.get_all(name))


@cached_tokens
def _parse_tokens(name: str, *values: str) -> tuple[str, ...]:
    try:
        return tuple(token.lower() for value in values for token in parse_token_list(name, value))
    except InvalidHeaderFormat:
        return ()
