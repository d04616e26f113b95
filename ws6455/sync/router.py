"""Threaded server that chooses the handler by path.

Routing needs werkzeug; see :mod:`ws6455.server.routing`.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from ..http1.head import Request, Response
from ..server.routing import Routing
from .server import Server, serve
from .server_connection import ProcessRequest, ServerConnection

if TYPE_CHECKING:
    from werkzeug.routing import Map

__all__ = ["Router", "route", "unix_route"]


class Router(Routing):
    """Router of a threaded server; see :func:`route` and :class:`.Routing`."""

    def handler(self, connection: ServerConnection) -> None:
        """Run the connection's handler; see :meth:`ws6455.aio.router.Router.handler`."""
        connection.handler(connection, **connection.handler_kwargs)


def route(
    url_map: Map,
    *args: Any,
    server_name: str | None = None,
    ssl: ssl.SSLContext | Literal[True] | None = None,
    create_router: Callable[..., Router] | None = None,
    process_request: ProcessRequest | None = None,
    **kwargs: Any,
) -> Server:
    """Listen for WebSocket clients, and call the handler that a URL map has for the path.

    Takes the arguments of :func:`ws6455.aio.router.route`, with plain functions instead of
    coroutine functions, and those of :func:`~ws6455.sync.server.serve`.
    """
    router = (create_router or Router)(url_map, server_name, "wss" if ssl else "ws")

    def find_handler(connection: ServerConnection, request: Request) -> Response | None:
        answer = None if process_request is None else process_request(connection, request)
        return answer or router.route_request(connection, request)

    if ssl is not True:  # True: a proxy in front of this server uses TLS
        kwargs["ssl"] = ssl
    return serve(router.handler, *args, process_request=find_handler, **kwargs)


def unix_route(url_map: Map, path: str | os.PathLike[str] | None = None, **kwargs: Any) -> Server:
    """Listen on a Unix socket; see :func:`ws6455.aio.router.unix_route` and :func:`route`."""
    return route(url_map, unix=True, path=None if path is None else os.fspath(path), **kwargs)
