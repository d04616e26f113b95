"""HTTP Basic authentication (RFC 7617) for the asyncio server."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

from ..http1.basic_auth import Credentials, challenge, choose_check, read_credentials
from ..http1.head import Request, Response
from .server_connection import ServerConnection

__all__ = ["basic_auth"]


def basic_auth(
    realm: str = "",
    credentials: Credentials | None = None,
    check_credentials: Callable[[str, str], Awaitable[bool] | bool] | None = None,
) -> Callable[[ServerConnection, Request], Awaitable[Response | None]]:
    """Make a `process_request` that requires credentials.

    A request without the right ones is answered with 401. The connection's `username` is the
    name of the user.

    Args:
        realm: what the credentials are for, shown to the user.
        credentials: a username and password, or a list of such pairs.
        check_credentials: instead of them: ``(username, password) -> bool``, plain or
            coroutine.

    Raises:
        ValueError: unless exactly one of the two is given.
        TypeError: if `credentials` is neither a pair nor a list of pairs.
    """
    check = choose_check(credentials, check_credentials)

    async def process_request(connection: ServerConnection, request: Request) -> Response | None:
        given = read_credentials(request)
        right: Awaitable[bool] | bool = given is not None and check(*given)
        if not (await right if inspect.isawaitable(right) else right):
            return challenge(realm, given)
        assert given is not None
        connection.username = given[0]
        return None

    return process_request
