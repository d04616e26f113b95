"""asyncio server with a handler for each path.

Calls need werkzeug; see :mod:`ws6455.server.routing`.
"""

from __future__ import annotations

import inspect
import os
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from ..http1.head import Request, Response
from ..server.routing import Routing
from .server import serve
from .server_connection import ServerConnection

if TYPE_CHECKING:
    from werkzeug.routing import Map

__all__ = ["Router", "route", "unix_route"]


class Router(Routing):
    """Router of an asyncio server; see :func:`route`.

    Args:
        url_map: a :class:`werkzeug.routing.Map`; its endpoints are the handlers.
        server_name: host in redirects; by default the Host of the request.
        url_scheme: scheme of redirects: ``"ws"``, or ``"wss"`` if this server or a proxy in
            front of it uses TLS.

    Raises:
        ImportError: if werkzeug is not installed.
    """

    async def handler(self, connection: ServerConnection) -> None:
        """Run the connection's handler with the values captured from the path."""
        await connection.handler(connection, **connection.handler_kwargs)


def route(
    url_map: Map,
    *args: Any,
    server_name: str | None = None,
    ssl: ssl.SSLContext | Literal[True] | None = None,
    create_router: Callable[..., Router] | None = None,
    **kwargs: Any,
) -> serve:
    """Serve WebSocket clients, with a handler for each path.

    Args:
        url_map: a :class:`werkzeug.routing.Map` whose endpoints are handlers, called with the
            connection and, as keyword arguments, the values captured from the path.
        args: host and port, see :class:`~ws6455.aio.server.serve`.
        server_name: host in redirects; by default the Host of the request.
        ssl: a TLS context; True if TLS ends at a proxy before this server.
        create_router: returns the router; the default is :class:`Router`.
        kwargs: see :class:`~ws6455.aio.server.serve`; `process_request` is called before
            routing, and a response that it returns is sent without routing.

    Raises:
        ImportError: if werkzeug is not installed.
    """
    if ssl is not None and ssl is not True:
        kwargs["ssl"] = ssl
    router = (create_router or Router)(url_map, server_name, "ws" if ssl is None else "wss")
    first = kwargs.pop("process_request", None)

    async def process_request(connection: ServerConnection, request: Request) -> Response | None:
        response: Response | None = None
        if first is not None:
            answer = first(connection, request)
            response = await answer if inspect.isawaitable(answer) else answer
        return router.route_request(connection, request) if response is None else response

    return serve(router.handler, *args, process_request=process_request, **kwargs)


def unix_route(url_map: Map, path: str | os.PathLike[str] | None = None, **kwargs: Any) -> serve:
    """Serve WebSocket clients on a Unix socket, with a handler for each path.

    Args:
        url_map: see :func:`route`.
        path: path of the socket; or pass `sock`.
        kwargs: see :func:`route`.
    """
    if path is not None:
        kwargs["path"] = os.fspath(path)
    return route(url_map, unix=True, **kwargs)
