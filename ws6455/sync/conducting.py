"""One client's whole life at the threaded server: TLS, opening handshake, handler, end.

Floor 5, threads. RFC 6455 §4.2.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..forwarded import Network
from ..handlers import is_the_end, takes_path
from ..opening import ServerProtocol
from ..protocol import State
from ..server_session import make_connection
from .server_connection import ServerConnection

if TYPE_CHECKING:
    from .server import Server

__all__ = ["Conductor", "SelectSubprotocol"]

SelectSubprotocol = Callable[[ServerConnection, Sequence[str]], str | None]


class Conductor:
    """Leads clients through their lives, each in its thread.

    Args:
        handler, ssl, open_timeout, select_subprotocol, create_connection: see
            :func:`~ws6455.sync.server.serve`.
        trusted_proxies: where the server's own proxies are.
        handshake_options: those of :meth:`ServerConnection.handshake`.
        protocol_options: those of :class:`~ws6455.opening.ServerProtocol`.
        connection_options: those of :class:`~ws6455.sync.connection.Connection`.
    """

    def __init__(
        self,
        handler: Callable[..., Any],
        *,
        ssl: ssl.SSLContext | None,
        open_timeout: float | None,
        select_subprotocol: SelectSubprotocol | None,
        create_connection: Callable[..., ServerConnection],
        trusted_proxies: Sequence[Network],
        handshake_options: dict[str, Any],
        protocol_options: dict[str, Any],
        connection_options: dict[str, Any],
    ) -> None:
        self._handler = handler
        self._takes_path = takes_path(handler)
        self._ssl = ssl
        self._open_timeout = open_timeout
        self._select_subprotocol = select_subprotocol
        self._create_connection = create_connection
        self._trusted_proxies = trusted_proxies
        self._handshake_options = handshake_options
        self._protocol_options = protocol_options
        self._connection_options = connection_options

    def conduct(self, sock: socket.socket, server: Server) -> None:
        """Lead a client; nothing that it does may reach another.

        Args:
            sock: the client's socket, just accepted.
            server: the server.
        """
        timeout = self._open_timeout
        begun = time.monotonic()
        try:
            if self._ssl is not None:
                sock.settimeout(timeout)
                # The one that is given away is detached from its number before the handshake.
                with sock:
                    secure = self._ssl.wrap_socket(
                        sock, server_side=True, do_handshake_on_connect=False
                    )
                    server.replace(sock, secure)
                sock = secure
                secure.do_handshake()
            connection = self._new_connection(sock, server)
        except OSError as exc:
            sock.close()
            server.forget(sock)
            server.logger.debug("connection closed before the opening handshake: %s", exc)
            return
        try:
            connection.trusted_proxies = self._trusted_proxies
            server.adopt(sock, connection)
            left = None if timeout is None else timeout - (time.monotonic() - begun)
            connection.handshake(timeout=left, **self._handshake_options)
            if connection.protocol.handshake_exc is None:
                connection.logger.info("connection open")
                self._handle(connection)
                connection.logger.info("connection closed")
            connection.wait_closed()
        except Exception:
            connection.logger.error("connection failed", exc_info=True)
            connection.abort()
        finally:
            server.dismiss(connection)

    def _new_connection(self, sock: socket.socket, server: Server) -> ServerConnection:
        def make(protocol: ServerProtocol) -> ServerConnection:
            return self._create_connection(sock, protocol, server, **self._connection_options)

        return make_connection(make, self._select_subprotocol, self._protocol_options)

    def _handle(self, connection: ServerConnection) -> None:
        """Run the handler and close the connection."""
        try:
            if self._takes_path:
                assert connection.request is not None
                self._handler(connection, connection.request.path)
            else:
                self._handler(connection)
        except Exception as exc:
            if connection.state is not State.OPEN and is_the_end(exc):
                connection.logger.debug("connection handler ended: %s", exc)
            else:
                connection.logger.error("connection handler failed", exc_info=True)
            connection.close(1011)
        else:
            connection.close()
