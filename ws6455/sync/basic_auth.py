"""HTTP Basic authentication in front of the threaded server.

RFC 7617; what is not threads' is in :mod:`ws6455.http1.basic_auth`.
"""

from __future__ import annotations

from collections.abc import Callable

from ..http1.basic_auth import Credentials, choose_check, read_credentials, unauthorized
from ..http1.head import Request, Response
from .server_connection import ServerConnection

__all__ = ["basic_auth"]


def basic_auth(
    realm: str = "",
    credentials: Credentials | None = None,
    check_credentials: Callable[[str, str], bool] | None = None,
) -> Callable[[ServerConnection, Request], Response | None]:
    """Do as :func:`ws6455.aio.basic_auth.basic_auth`, whose callback is plain here."""
    check = choose_check(credentials, check_credentials)

    def ask(connection: ServerConnection, request: Request) -> Response | None:
        given = read_credentials(request)
        if given is None or not check(*given):
            return unauthorized(realm, f"{'Missing' if given is None else 'Invalid'} credentials\n")
        connection.username = given[0]
        return None

    return ask
