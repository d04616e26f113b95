"""Runner of a server's connection in its thread, from the PROXY header to the end.

RFC 6455 §4.2.
"""

from __future__ import annotations

import socket
import ssl
import time
import traceback
from collections.abc import Callable
from typing import Any, Protocol

from ..client.deadline import Deadline
from ..server.handler import handler_arguments
from ..server.proxy_protocol import ProxyHeaderReader, SourceAddress
from ..server.registry import ConnectionMaker
from .server_connection import ServerConnection

__all__ = ["ConnectionRunner"]


class RunnerOwner(Protocol):
    """The interface of a server that the runner uses; see :class:`~ws6455.sync.server.Server`."""

    def _log_early_end(self, exc: Exception) -> None:
        """Log the error that ended a client's socket before its opening handshake."""

    def replace(self, sock: socket.socket, secure: socket.socket) -> None:
        """Replace the socket of a client by its TLS socket, before the TLS handshake."""

    def adopt(self, sock: socket.socket, connection: ServerConnection) -> None:
        """Register the connection of a client, which had only a socket before."""

    def reject(self, sock: socket.socket) -> None:
        """Close the socket of a client that gets no connection."""

    def forget(self, connection: ServerConnection) -> None:
        """Drop a connection that has ended."""


class ConnectionRunner:
    """Runs the connections of a server; each call of :meth:`run` has a thread of its own.

    Args:
        handler, ssl, open_timeout: see :func:`~ws6455.sync.server.serve`.
        maker: creates the connections.
        handshake_options: options of :meth:`ServerConnection.handshake`.
    """

    def __init__(
        self,
        handler: Callable[..., Any],
        *,
        ssl: ssl.SSLContext | None,
        open_timeout: float | None,
        maker: ConnectionMaker[ServerConnection],
        handshake_options: dict[str, Any],
    ) -> None:
        self._handler = handler
        self._handler_arguments = handler_arguments(handler)
        self._ssl = ssl
        self._open_timeout = open_timeout
        self._maker = maker
        self._handshake_options = handshake_options

    def run(self, sock: socket.socket, server: RunnerOwner) -> None:
        """Run a connection from its first byte to its end; log exceptions.

        Args:
            sock: socket of an accepted client.
            server: the server.
        """
        deadline = Deadline(self._open_timeout, time.monotonic)
        try:
            deadline.step = "reading the PROXY header"
            source = self._read_proxy_header(sock, deadline) if self._maker.proxy_protocol else None
            deadline.step = "performing the TLS handshake"
            if self._ssl is not None:
                sock.settimeout(deadline.left())
                # wrap_socket() takes over the file descriptor, before the TLS handshake.
                with sock:
                    secure = _wrap(sock, self._ssl)
                    server.replace(sock, secure)
                sock = secure
                secure.do_handshake()
            left = deadline.left()
            connection = self._maker.make(server, sock)
            if source is not None:
                connection.source_address = source
        except Exception as exc:
            server.reject(sock)
            server._log_early_end(exc)
            return
        try:
            server.adopt(sock, connection)
            connection.handshake(timeout=left, **self._handshake_options)
            if connection.protocol.handshake_exc is None:
                connection._log_info("connection open")
                self._handle(connection)
                connection._log_info("connection closed")
            connection.wait_closed()
        except Exception:
            connection.logger.error("connection failed", exc_info=True)
            connection.abort()
        finally:
            server.forget(connection)

    def _read_proxy_header(self, sock: socket.socket, deadline: Deadline) -> SourceAddress | None:
        """Read the header of the PROXY protocol, if the peer is a trusted proxy.

        Returns:
            The address of the client, or None if the socket's counts.

        Raises:
            InvalidMessage: if the header is malformed.
            OSError: if it does not come, or not in time.
        """
        if not self._maker.expects_proxy_header(sock.getpeername()):
            return None
        reader = ProxyHeaderReader()
        while reader.missing:
            sock.settimeout(deadline.left())
            data = sock.recv(reader.missing)
            if not data:
                raise ConnectionError("stream ends before the end of the PROXY header")
            reader.feed(data)
        return reader.source

    def _handle(self, connection: ServerConnection) -> None:
        """Run the handler and close the connection."""
        try:
            self._handler(*self._handler_arguments(connection))
        except Exception as exc:
            connection._log_handler_error(exc)
            connection.close(1011)
        else:
            connection.close()


def _wrap(sock: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Return a TLS socket that takes over a socket; its TLS handshake is still to be done.

    Raises:
        OSError: if the peer has gone. Python's own function would leave its socket open then.
    """
    try:
        return context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    except OSError as exc:
        for frame, _ in traceback.walk_tb(exc.__traceback__):
            half_made = frame.f_locals.get("self")
            if isinstance(half_made, ssl.SSLSocket):
                half_made.close()
        raise
