"""HTTP Basic authentication: parse and build its headers, check credentials.

RFC 7617. The front ends' `basic_auth` is built on this module.
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
    "challenge",
    "choose_check",
    "is_credentials",
    "parse_authorization_basic",
    "read_credentials",
    "unauthorized",
]

Credentials = tuple[str, str] | Sequence[tuple[str, str]]
_Check = TypeVar("_Check", bound=Callable[[str, str], object])

_AUTHORIZATION = "Authorization"


def build_authorization_basic(username: str, password: str) -> str:
    """Build an Authorization header. The username must not contain a colon (RFC 7617 §2)."""
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def parse_authorization_basic(header: str) -> tuple[str, str]:
    """Parse an Authorization header.

    Args:
        header: the header's value.

    Returns:
        The username and the password.

    Raises:
        InvalidHeaderValue: if the scheme is not Basic, or the credentials are malformed.
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
    """Build a WWW-Authenticate header for a realm."""
    escaped = realm.replace("\\", "\\\\").replace('"', '\\"')
    return f'Basic realm="{escaped}", charset="UTF-8"'


def read_credentials(request: Request) -> tuple[str, str] | None:
    """Return the username and password of a request; None if they are missing or malformed."""
    try:
        return parse_authorization_basic(request.headers[_AUTHORIZATION])
    except (InvalidHeader, LookupError):
        return None


def choose_check(
    credentials: Credentials | None, check_credentials: _Check | None
) -> _Check | Callable[[str, str], bool]:
    """Return the function that checks a username and a password.

    Args:
        credentials: a ``(username, password)`` pair, or several; compared in constant time.
        check_credentials: the caller's own function; it is returned unchanged.

    Raises:
        ValueError: unless exactly one of the two is given.
        TypeError: if `credentials` is neither a pair nor a sequence of pairs.
    """
    if check_credentials is not None:
        if credentials is not None:
            raise ValueError("provide either credentials or check_credentials, not both")
        return check_credentials
    if credentials is None:
        raise ValueError("provide either credentials or check_credentials")
    pairs = [credentials] if is_credentials(credentials) else credentials
    if not isinstance(pairs, list | tuple) or not all(map(is_credentials, pairs)):
        raise TypeError(f"credentials must be a pair or a list of pairs, not {credentials!r}")
    known = [(f"{username}:{password}").encode() for username, password in pairs]

    def check(username: str, password: str) -> bool:
        given = f"{username}:{password}".encode()
        # Compare with every pair, so that the time does not reveal which usernames exist.
        return sum(hmac.compare_digest(given, right) for right in known) > 0

    return check


def is_credentials(value: object) -> bool:
    """Return True if a value is a pair of username and password."""
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(part, str) for part in value)
    )


def challenge(realm: str, given: tuple[str, str] | None) -> Response:
    """Build the 401 response to a request whose credentials are missing or wrong.

    Args:
        realm: the protection space that the credentials are for (RFC 7617 §2).
        given: the credentials of the request; None if they are missing.
    """
    return unauthorized(realm, f"{'Missing' if given is None else 'Invalid'} credentials\n")


def unauthorized(realm: str, text: str) -> Response:
    """Build the 401 response that asks for credentials.

    Args:
        realm: the protection space that the credentials are for (RFC 7617 §2).
        text: the body.
    """
    response = Response.text(401, text)
    response.headers["WWW-Authenticate"] = build_www_authenticate_basic(realm)
    return response
