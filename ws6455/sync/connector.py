"""Connector: opens the connections of a threaded client, redirects included.

RFC 6455 §4.1.
"""

from __future__ import annotations

import dataclasses
import functools
import socket
import time
from collections.abc import Callable
from typing import Any, Literal

from ..client.deadline import Deadline
from ..client.proxies import Tunnel, check_proxy_ssl, choose_proxy
from ..client.redirects import Destination
from ..http1.headers import HeadersLike
from ..http1.uri import WebSocketURI
from ..protocol.client import ClientProtocol
from .client_connection import ClientConnection
from .sockets import open_tcp, open_unix
from .tunnel import connect_through_http, connect_through_socks, start_tls

__all__ = ["Connector"]


@dataclasses.dataclass
class Connector:
    """Opens connections to a URI; each call of :meth:`open` is one attempt.

    Attributes:
        uri: URI of the server.
        headers: additional headers of the request.
        user_agent_header: value of User-Agent, or None.
        open_timeout: seconds for an attempt; None for no limit.
        proxy: see :func:`ws6455.client.proxies.choose_proxy`.
        proxy_tls: `ssl` and `server_hostname` for TLS to the proxy.
        sock: a connected socket, or None.
        tls: `ssl` and `server_hostname` for TLS to the server.
        socket_options: options of :func:`~ws6455.sync.sockets.open_tcp`; `address`; or `unix` and
            `path`.
        create_connection: returns the connection.
        protocol_class: the class of its protocol.
        protocol_options: options of :class:`~ws6455.protocol.client.ClientProtocol`.
        connection_options: options of :class:`~ws6455.sync.connection.Connection`.
    """

    uri: str
    headers: HeadersLike | None
    user_agent_header: str | None
    open_timeout: float | None
    proxy: str | Literal[True] | None
    proxy_tls: dict[str, Any]
    sock: socket.socket | None
    tls: dict[str, Any]
    socket_options: dict[str, Any]
    create_connection: Callable[..., ClientConnection]
    protocol_class: type[ClientProtocol]
    protocol_options: dict[str, Any]
    connection_options: dict[str, Any]

    def __post_init__(self) -> None:
        self._destination()  # raises InvalidURI and ValueError

    def _destination(self) -> Destination:
        given = self.socket_options | {"ssl": self.tls["ssl"], "sock": self.sock}
        return Destination(self.uri, self.headers, given)

    def open(self) -> ClientConnection:
        """Open a connection within `open_timeout`.

        Raises:
            Exception: see :func:`~ws6455.sync.client.connect`.
        """
        deadline = Deadline(self.open_timeout, time.monotonic)
        with deadline.naming_step():
            return self._follow_redirects(deadline)

    def _follow_redirects(self, deadline: Deadline) -> ClientConnection:
        destination = self._destination()
        while True:
            try:
                return self._open_at(destination, deadline)
            except Exception as exc:
                target = destination.redirect(exc)
                if target is None:
                    raise
                destination.move(target)
            self.protocol_options["logger"].info("redirected to %s", destination.ws_uri)

    def _open_at(self, destination: Destination, deadline: Deadline) -> ClientConnection:
        uri = destination.ws_uri
        sock = self._connect(uri, deadline)
        try:
            if uri.secure:
                hostname = self.tls["server_hostname"] or uri.server_name
                sock = start_tls(sock, self.tls["ssl"], hostname, deadline)
            protocol = self.protocol_class(uri, **self.protocol_options)
            connection = self.create_connection(sock, protocol, **self.connection_options)
        except BaseException:
            sock.close()
            raise
        deadline.step = f"waiting for the response of {uri.host}"
        try:
            connection.handshake(destination.headers, self.user_agent_header, deadline.left())
        except BaseException:
            connection.protocol.drop_handshake_exc()
            connection.abort()
            raise
        return connection

    def _connect(self, uri: WebSocketURI, deadline: Deadline) -> socket.socket:
        """Return a connected socket: TCP, through a proxy if there is one, or a Unix socket."""
        options = self.socket_options.copy()
        unix, path = options.pop("unix", False), options.pop("path", None)
        if self.sock is not None:
            return self.sock
        if unix:
            return open_unix(path, deadline)
        host, port = options.pop("address", (uri.host, uri.port))
        proxy = choose_proxy(self.proxy, uri)
        if proxy is None:
            return open_tcp(host, port, deadline, **options)
        open_proxy = functools.partial(open_tcp, proxy.host, proxy.port, deadline, **options)
        if proxy.scheme.startswith("socks"):
            return connect_through_socks(open_proxy, proxy, host, port, deadline)
        check_proxy_ssl(proxy, self.proxy_tls if proxy.scheme == "http" else {})
        tunnel = Tunnel(proxy, host, port, self.user_agent_header)
        return connect_through_http(open_proxy, proxy, tunnel, deadline, **self.proxy_tls)
