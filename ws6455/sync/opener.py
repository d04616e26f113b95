"""One attempt of a threaded client to open a connection, redirects included.

Floor 5, threads. RFC 6455 §4.1.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
from collections.abc import Callable
from typing import Any, Literal

from ..errors import SecurityError
from ..http11 import HeadersLike
from ..opening import ClientProtocol
from ..proxies import Tunnel, check_proxy_ssl, choose_proxy
from ..redirects import (
    MAX_REDIRECTS,
    check_redirect,
    redirect_target,
    same_origin,
    without_secrets,
)
from ..uri import WebSocketURI, parse_uri
from .client_connection import ClientConnection
from .tunnel import Deadline, connect_through_http, connect_through_socks, start_tls

__all__ = ["Opener"]

# What makes the way to the first URI another than its own: a redirect elsewhere cannot take it.
_FIXED_WAYS = ("unix", "address")


@dataclasses.dataclass
class Opener:
    """Opens a connection as often as it is asked to.

    Attributes:
        uri: where to.
        headers: added to the request.
        user_agent_header: the value of User-Agent.
        open_timeout: seconds for everything; None for any.
        proxy: see :func:`ws6455.proxies.choose_proxy`.
        proxy_tls: `ssl` and `server_hostname` for TLS to the proxy.
        sock: a connected socket, or None.
        tls: the same for TLS to the server.
        socket_options: for :func:`socket.create_connection`.
        create_connection: makes the connection.
        protocol_options: those of :class:`~ws6455.opening.ClientProtocol`.
        connection_options: those of :class:`~ws6455.sync.connection.Connection`.
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
    protocol_options: dict[str, Any]
    connection_options: dict[str, Any]

    def __post_init__(self) -> None:
        self._parse(self.uri)

    def _parse(self, uri: str) -> WebSocketURI:
        """Parse where to go.

        Raises:
            InvalidURI: if it is not a WebSocket URI.
            ValueError: if `ssl` was given and the URI is not secure.
        """
        parsed = parse_uri(uri)
        if not parsed.secure and self.tls["ssl"] is not None:
            raise ValueError("ssl argument is incompatible with a ws:// URI")
        return parsed

    def open(self) -> ClientConnection:
        """Open a connection.

        Raises:
            Exception: see :func:`~ws6455.sync.client.connect`.
        """
        try:
            return self._follow_redirects(Deadline(self.open_timeout))
        except TimeoutError as exc:
            if self.open_timeout is None:
                raise
            raise TimeoutError(
                f"timed out during opening handshake, after {self.open_timeout:g} s"
            ) from exc

    def _follow_redirects(self, deadline: Deadline) -> ClientConnection:
        uri, headers = self.uri, self.headers
        for _ in range(MAX_REDIRECTS + 1):
            try:
                return self._open_at(self._parse(uri), headers, deadline)
            except Exception as exc:
                target = redirect_target(exc, uri)
                if target is None:
                    raise
                if not self._check_redirect(uri, target):
                    headers = without_secrets(headers)
            self.protocol_options["logger"].info("redirected to %s", target)
            uri = target
        raise SecurityError(f"more than {MAX_REDIRECTS} redirects")

    def _check_redirect(self, uri: str, target: str) -> bool:
        """Check that a redirect can be followed; return whether it stays at the same origin.

        Raises:
            InvalidURI, SecurityError, ValueError: if it cannot.
        """
        if self.sock is not None:
            raise ValueError(f"cannot follow a redirect to {target} on a given socket")
        old, new = parse_uri(uri), self._parse(target)
        check_redirect(old, new)
        stays = same_origin(old, new)
        for option in _FIXED_WAYS:
            if not stays and self.socket_options.get(option):
                raise ValueError(f"cannot follow a redirect to {target} with a given {option}")
        return stays

    def _open_at(
        self, uri: WebSocketURI, headers: HeadersLike | None, deadline: Deadline
    ) -> ClientConnection:
        sock = self._connect(uri, deadline)
        try:
            if uri.secure:
                hostname = self.tls["server_hostname"] or uri.host
                sock = start_tls(sock, self.tls["ssl"], hostname, deadline)
            connection = self.create_connection(
                sock, ClientProtocol(uri, **self.protocol_options), **self.connection_options
            )
        except BaseException:
            sock.close()
            raise
        try:
            connection.handshake(headers, self.user_agent_header, deadline.left())
        except BaseException:
            # The exception's traceback refers to the connection.
            connection.protocol.handshake_exc = None
            connection.abort()
            raise
        return connection

    def _connect(self, uri: WebSocketURI, deadline: Deadline) -> socket.socket:
        """Connect TCP, or what stands for it."""
        options = self.socket_options.copy()
        unix, path = options.pop("unix", False), options.pop("path", None)
        if self.sock is not None:
            return self.sock
        if unix:
            with contextlib.ExitStack() as stack:
                sock = stack.enter_context(socket.socket(socket.AF_UNIX))
                sock.settimeout(deadline.left())
                sock.connect(path)
                stack.pop_all()
            return sock
        host, port = options.pop("address", (uri.host, uri.port))
        proxy = choose_proxy(self.proxy, uri)
        if proxy is None:
            options.setdefault("timeout", deadline.left())
            return socket.create_connection((host, port), **options)
        if proxy.scheme not in ("http", "https"):
            return connect_through_socks(proxy, host, port, deadline)
        check_proxy_ssl(proxy, self.proxy_tls if proxy.scheme == "http" else {})
        tunnel = Tunnel(proxy, host, port, self.user_agent_header)
        return connect_through_http(proxy, tunnel, deadline=deadline, **self.proxy_tls, **options)
