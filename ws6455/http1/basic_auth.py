"""HTTP Basic authentication: its two headers and the check of credentials.

RFC 7617. The front ends make a `process_request` of it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..exceptions import InvalidHeader, InvalidHeaderValue
from .head import Request, Response

__all__ = [
    "Credentials",
    "build_authorization_basic",
    "build_www_authenticate_basic",
    "choose_check",
    "parse_authorization_basic",
    "read_credentials",
    "unauthorized",
]

Credentials = tuple[str, str] | Sequence[tuple[str, str]]
_Check = TypeVar("_Check", bound=Callable[[str, str], object])

_AUTHORIZATION = "Authorization"


def build_authorization_basic(username: str, password: str) -> str:
    """Build the value of Authorization; without a colon in the username (RFC 7617 §2)."""
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def parse_authorization_basic(header: str) -> tuple[str, str]:
    """Parse the value of Authorization.

    Args:
        header: the value.

    Returns:
        The username and the password.

    Raises:
        InvalidHeaderValue: if it is not Basic authentication, or is malformed.
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidHeaderValue(_AUTHORIZATION, f"unsupported scheme: {scheme}")
    try:
        username, colon, password = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidHeaderValue(_AUTHORIZATION, "expected credentials in base64") from None
    if not colon:
        raise InvalidHeaderValue(_AUTHORIZATION, "expected username:password")
    return username, password


def build_www_authenticate_basic(realm: str) -> str:
    """Build the value of WWW-Authenticate for a realm."""
    escaped = realm.replace("\\", "\\\\").replace('"', '\\"')
    return f'Basic realm="{escaped}", charset="UTF-8"'


def read_credentials(request: Request) -> tuple[str, str] | None:
    """Return the username and password of a request; None if it has none that can be read."""
    try:
        return parse_authorization_basic(request.headers[_AUTHORIZATION])
    except (InvalidHeader, LookupError):
        return None


def choose_check(
    credentials: Credentials | None, check_credentials: _Check | None
) -> _Check | Callable[[str, str], bool]:
    """Return what tells whether a username and a password are right.

    Args:
        credentials: a pair, or several; compared in constant time.
        check_credentials: the caller's own ``(username, password) -> bool``.

    Raises:
        ValueError: unless exactly one is given.
        TypeError: if `credentials` is neither a pair nor a sequence of pairs.
    """
    if check_credentials is not None:
        if credentials is not None:
            raise ValueError("provide either credentials or check_credentials, not both")
        return check_credentials
    if credentials is None:
        raise ValueError("provide either credentials or check_credentials")
    pairs = [credentials] if _is_pair(credentials) else credentials
    if not isinstance(pairs, list | tuple) or not all(map(_is_pair, pairs)):
        raise TypeError(f"credentials must be a pair or a list of pairs, not {credentials!r}")
    known = [(f"{username}:{password}").encode() for username, password in pairs]

    def check(username: str, password: str) -> bool:
        given = f"{username}:{password}".encode()
        # Every pair is looked at: the time must not tell which usernames there are.
        return sum(hmac.compare_digest(given, right) for right in known) > 0

    return check


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(part, str) for part in value)
    )


def unauthorized(realm: str, text: str) -> Response:
    """Make the response that asks for credentials: 401.

    Args:
        realm: what they are for.
        text: the body.
    """
    response = Response.text(401, text)
    response.headers["WWW-Authenticate"] = build_www_authenticate_basic(realm)
    return response
