"""HTTP Basic authentication by a subclass of the connection, as in versions 8 to 13.

RFC 7617. The check is that of :mod:`ws6455.http1.basic_auth`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from ..http1.basic_auth import (
    Credentials,
    choose_check,
    is_credentials,
    read_credentials,
    unauthorized,
)
from ..http1.head import Request
from ..http1.headers import Headers
from .connection import ServerConnection

__all__ = ["BasicAuthWebSocketServerProtocol", "basic_auth_protocol_factory"]


class BasicAuthWebSocketServerProtocol(ServerConnection):
    """A server's connection that requires credentials.

    Args:
        args: see :class:`ServerConnection`.
        realm: the realm of the credentials, shown to the user.
        check_credentials: ``(username, password) -> bool``, a coroutine function. A subclass may
            override the method of this name instead.
        options: see :class:`ServerConnection`.
    """

    realm: str = ""
    username: Any = None  # set when the credentials are accepted

    def __init__(
        self,
        *args: Any,
        realm: str | None = None,
        check_credentials: Callable[[str, str], Awaitable[bool]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        if realm is not None:
            self.realm = realm
        self._check_credentials = check_credentials

    async def check_credentials(self, username: str, password: str) -> bool:
        """Check credentials; for a subclass to override."""
        if self._check_credentials is None:
            return False
        right = self._check_credentials(username, password)
        return await right if inspect.isawaitable(right) else right

    async def process_request(self, path: str, request_headers: Headers) -> Any:
        """Answer a request without valid credentials with 401."""
        given = read_credentials(Request(path, request_headers))
        if given is None:
            return unauthorized(self.realm, "Missing credentials\n")
        if not await self.check_credentials(*given):
            return unauthorized(self.realm, "Invalid credentials\n")
        self.username = given[0]
        return await super().process_request(path, request_headers)


def basic_auth_protocol_factory(
    realm: str | None = None,
    credentials: Credentials | Iterable[tuple[str, str]] | None = None,
    check_credentials: Callable[[str, str], Awaitable[bool]] | None = None,
    create_protocol: Callable[..., BasicAuthWebSocketServerProtocol] | None = None,
) -> Callable[..., BasicAuthWebSocketServerProtocol]:
    """Return a value for `create_protocol` that requires credentials.

    Args:
        realm: the realm of the credentials, shown to the user.
        credentials: a pair of username and password, or several pairs.
        check_credentials: ``(username, password) -> bool``, a coroutine function; instead of
            `credentials`.
        create_protocol: makes the connection, instead of
            :class:`BasicAuthWebSocketServerProtocol`.

    Raises:
        TypeError: unless exactly one of `credentials` and `check_credentials` is given, and if
            it has a wrong type.
    """
    if (credentials is None) == (check_credentials is None):
        raise TypeError("provide either credentials or check_credentials")
    check: Any = check_credentials
    if credentials is not None:
        several = isinstance(credentials, Iterable) and not is_credentials(credentials)
        check = choose_check(list(credentials) if several else credentials, None)  # type: ignore[arg-type]  # choose_check raises
    return functools.partial(
        create_protocol or BasicAuthWebSocketServerProtocol, realm=realm, check_credentials=check
    )
