"""The asyncio server: `serve` and `route` with the arguments of every version."""

from __future__ import annotations

import inspect
import logging
import os
import socket
import ssl
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from ..aio import server, server_connection
from ..aio.broadcast import broadcast
from ..aio.connection import Connection
from ..aio.router import Router
from ..http1.head import Request, Response
from ..typing import BytesLike
from .arguments import (
    OLD_ARGUMENTS,
    OLD_DEFAULTS,
    ExtraHeaders,
    extended,
    new_process_request,
    new_select_subprotocol,
    renamed,
    with_extra_headers,
)
from .connection import ServerConnection
from .extensions import check_factories
from .protocol import ServerProtocol

if TYPE_CHECKING:
    from werkzeug.routing import Map

__all__ = [
    "Serve",
    "Server",
    "get_socket_name",
    "legacy_broadcast",
    "legacy_unix_serve",
    "route",
    "serve",
    "unix_route",
    "unix_serve",
]


class Server(server.Server):
    """A server with its members up to version 13."""

    @property
    def websockets(self) -> set[server_connection.ServerConnection]:
        """The open connections."""
        return self.connections

    def register(self, protocol: server_connection.ServerConnection) -> None:
        """Add a connection, which the server closes at its end."""
        self._all.add(protocol)

    def unregister(self, protocol: server_connection.ServerConnection) -> None:
        """Remove a connection."""
        self.forget(protocol)

    def __await__(self) -> Generator[Any, None, Self]:
        yield from ()  # the server listens already
        return self


class serve(server.serve):
    """Serve WebSocket clients; see :class:`ws6455.serve`.

    Args:
        handler: see there; its name is `ws_handler` up to version 13.
        host, port: see there.
        process_request: see there; or ``(path, headers) -> (status, headers, body) or None``.
        select_subprotocol: see there; or
            ``(client_subprotocols, server_subprotocols) -> subprotocol``.
        process_response: see there.
        extra_headers: headers for the response, or ``(path, request_headers) -> headers``.
        create_protocol, klass: names of `create_connection` up to version 13.
        timeout: the name of `close_timeout` in early versions.
        loop, read_limit, legacy_recv: have no effect.
        options: see there.
    """

    server_class: type[Server] = Server
    protocol_class: type[ServerProtocol] = ServerProtocol
    legacy = False  # whether the old form of callbacks is assumed, if their arguments do not decide
    ws_server: server.Server  # set when the server listens
    __signature__: inspect.Signature = extended(server.serve, **OLD_ARGUMENTS, ws_handler=None)

    def __init__(
        self,
        handler: server.Handler | None = None,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        ws_handler: server.Handler | None = None,
        process_request: Callable[..., Any] | None = None,
        select_subprotocol: Callable[..., str | None] | None = None,
        process_response: server_connection.ProcessResponse | None = None,
        extra_headers: ExtraHeaders | None = None,
        create_protocol: Callable[..., server_connection.ServerConnection] | None = None,
        klass: Callable[..., server_connection.ServerConnection] | None = None,
        timeout: float | None = None,
        loop: object = None,
        read_limit: object = None,
        legacy_recv: object = None,
        **options: Any,
    ) -> None:
        if handler is None:
            handler = ws_handler
        if handler is None:
            raise TypeError("serve() needs a handler")
        if timeout is not None:
            options["close_timeout"] = timeout
        create_protocol = create_protocol or klass
        old = self.legacy or create_protocol is not None
        options["create_connection"] = (
            options.get("create_connection") or create_protocol or ServerConnection
        )
        options["logger"] = options.get("logger") or logging.getLogger("websockets.server")
        check_factories(options.get("extensions"))
        super().__init__(
            handler,
            host,
            port,
            process_request=new_process_request(process_request, old),
            select_subprotocol=new_select_subprotocol(select_subprotocol, old),
            process_response=with_extra_headers(extra_headers, process_response),
            **options,
        )

    async def _serve(self) -> server.Server:
        listening = await super()._serve()
        self.ws_server = listening
        return listening


class Serve(serve):
    """Serve as ``websockets.legacy`` does: its defaults and its rules for callbacks."""

    legacy = True
    __signature__: inspect.Signature = renamed(
        extended(serve, **OLD_DEFAULTS, close_timeout=None),
        "handler",
        "ws_handler",
    )

    def __init__(
        self,
        ws_handler: server.Handler | None = None,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        **options: Any,
    ) -> None:
        options = OLD_DEFAULTS | options
        if options.get("close_timeout") is None:
            options["close_timeout"] = 10
        super().__init__(ws_handler, host, port, **options)


def unix_serve(
    handler: server.Handler, path: str | os.PathLike[str] | None = None, **kwargs: Any
) -> serve:
    """Serve on a Unix socket; see :func:`ws6455.unix_serve`."""
    if path is not None:
        kwargs["path"] = os.fspath(path)
    return serve(handler, unix=True, **kwargs)


def legacy_unix_serve(
    ws_handler: server.Handler, path: str | os.PathLike[str] | None = None, **kwargs: Any
) -> serve:
    """Serve on a Unix socket as ``websockets.legacy`` does; see :class:`Serve`."""
    if path is not None:
        kwargs["path"] = os.fspath(path)
    return Serve(ws_handler, unix=True, **kwargs)


def legacy_broadcast(
    websockets: Iterable[Connection], message: str | BytesLike, raise_exceptions: bool = False
) -> None:
    """Send a message to connections; see :func:`ws6455.broadcast`."""
    broadcast(websockets, message, raise_exceptions=raise_exceptions)


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

    async def find_handler(
        connection: server_connection.ServerConnection, request: Request
    ) -> Response | None:
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


def get_socket_name(sock: socket.socket) -> str:
    """Return the address of a socket, or the path of a Unix socket, for log messages."""
    name = sock.getsockname()
    if not isinstance(name, tuple):
        return str(name)
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
