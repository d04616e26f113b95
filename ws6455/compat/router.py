"""`route` on the compatible `serve`.

Needs werkzeug when called.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from ..aio.router import Router
from ..aio.server_connection import ServerConnection
from ..http1.head import Request, Response
from .callbacks import new_process_request
from .server import serve

if TYPE_CHECKING:
    from werkzeug.routing import Map

__all__ = ["route", "unix_route"]


def route(
    url_map: Map,
    *args: Any,
    server_name: str | None = None,
    ssl: ssl.SSLContext | Literal[True] | None = None,
    create_router: Callable[..., Router] | None = None,
    process_request: Callable[..., Any] | None = None,
    **kwargs: Any,
) -> serve:
    """Serve WebSocket clients, each path with its own handler; see :func:`ws6455.route`."""
    router = (create_router or Router)(url_map, server_name, "ws" if ssl is None else "wss")
    first = new_process_request(process_request, old=False)

    async def find_handler(connection: ServerConnection, request: Request) -> Response | None:
        response = None if first is None else await first(connection, request)
        return router.route_request(connection, request) if response is None else response

    if ssl is not None and ssl is not True:  # True: TLS ends at a proxy
        kwargs["ssl"] = ssl
    return serve(router.handler, *args, process_request=find_handler, **kwargs)


def unix_route(url_map: Map, path: str | os.PathLike[str] | None = None, **kwargs: Any) -> serve:
    """Serve on a Unix socket, each path with its own handler; see :func:`ws6455.unix_route`."""
    if path is not None:
        kwargs["path"] = os.fspath(path)
    return route(url_map, unix=True, **kwargs)
