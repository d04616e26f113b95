"""HTTP Basic authentication (RFC 7617) for the threaded server."""

from __future__ import annotations

from collections.abc import Callable

from ..http1.basic_auth import Credentials, challenge, choose_check, read_credentials
from ..http1.head import Request, Response
from .server_connection import ServerConnection

__all__ = ["basic_auth"]


def basic_auth(
    realm: str = "",
    credentials: Credentials | None = None,
    check_credentials: Callable[[str, str], bool] | None = None,
) -> Callable[[ServerConnection, Request], Response | None]:
    """Make a `process_request`; see :func:`ws6455.aio.basic_auth.basic_auth`.

    `check_credentials` is a plain function.
    """
    are_right = choose_check(credentials, check_credentials)

    def authenticate(connection: ServerConnection, request: Request) -> Response | None:
        pair = read_credentials(request)
        if pair is None or not are_right(*pair):
            return challenge(realm, pair)
        connection.username = pair[0]
        return None

    return authenticate
