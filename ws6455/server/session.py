"""What a server's connection does with a request, the same for every front end.

RFC 6455 §4.2.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from ..exceptions import InvalidStatus
from ..http1.head import Response
from ..http1.headers import Headers
from ..protocol.server import ServerProtocol
from ..protocol.states import OPEN
from ..session.connection import Endpoint
from .forwarded import Network, client_address, parse_networks
from .handler import is_the_end, takes_path

__all__ = ["ConnectionMaker", "ServerSession", "check_response", "handler_arguments"]

Connection = TypeVar("Connection", bound="ServerSession")


class ServerSession(Endpoint):
    """The part of a server's connection that its front ends share.

    Attributes:
        username: who it is; there only after `basic_auth`.
        handler: what the router has found, called with `handler_kwargs`; there only with `route`.
        trusted_proxies: where the server's own proxies are.
    """

    __slots__ = ()

    protocol: ServerProtocol
    username: str
    handler: Callable[..., Any]
    handler_kwargs: dict[str, Any]
    trusted_proxies: Sequence[Network] = ()

    @property
    def client_address(self) -> str:
        """The client's address, which proxies have forwarded if they are among the trusted.

        On a Unix socket the peer counts as 127.0.0.1.
        """
        peer = self.remote_address[0] if isinstance(self.remote_address, tuple) else "127.0.0.1"
        headers = Headers() if self.request is None else self.request.headers
        return client_address(peer, headers, self.trusted_proxies)

    def respond(self, status: int, text: str) -> Response:
        """Make a plain-text response, for `process_request` to return.

        Args:
            status: an HTTP status.
            text: the body.
        """
        return self.protocol.reject(status, text)

    def _respond_to_failure(self, exc: Exception) -> Response:
        """Log why a callback failed, and make the response for that."""
        self.protocol.handshake_exc = exc
        self.logger.error("opening handshake failed", exc_info=exc)
        exc.__traceback__ = None  # its frames refer to this connection
        return self.respond(500, "Failed to open a WebSocket connection: see the server log.\n")

    def _send_response(self, response: Response, server_header: str | None, closing: bool) -> bool:
        """Send the response to the request, or that the server is closing, and log a refusal.

        Args:
            response: to the request.
            server_header: the value of Server, unless the response has one; None for none.
            closing: whether the server is. Asked last: a connection that opened now would have
                missed it.

        Returns:
            Whether the connection is open.
        """
        if closing:
            response = self.respond(503, "Server is shutting down.\n")
        if server_header is not None and "Server" not in response.headers:
            response.headers["Server"] = server_header
        self.protocol.send_response(response)
        self._close_by = None
        self._attend()
        if self.protocol.handshake_exc is None:
            return True
        self._log_refusal()
        return False

    def _log_refusal(self) -> None:
        """Log why the request was refused, or that there was none."""
        exc, response = self.protocol.handshake_exc, self.protocol.response
        if response is None:
            self.logger.debug("connection closed without a request: %s", exc)
            return
        reason = "" if isinstance(exc, InvalidStatus) else f": {exc}"
        self.logger.info(
            "connection rejected (%d %s)%s", response.status_code, response.reason_phrase, reason
        )

    # The handler ------------------------------------------------------------------------

    def _log_end_of_handler(self, exc: Exception) -> None:
        """Log what a handler has raised; that its connection was closed is no failure."""
        if self.state is not OPEN and is_the_end(exc):
            self.logger.debug("connection handler ended: %s", exc)
        else:
            self.logger.error("connection handler failed", exc_info=exc)


def handler_arguments(
    handler: Callable[..., object],
) -> Callable[[ServerSession], tuple[Any, ...]]:
    """Return a function that gives what a handler is called with for a connection.

    Raises:
        TypeError: if the handler takes neither ``(connection)`` nor ``(connection, path)``.
    """
    with_path = takes_path(handler)

    def arguments(connection: ServerSession) -> tuple[Any, ...]:
        assert connection.request is not None
        return (connection, connection.request.path) if with_path else (connection,)

    return arguments


def check_response(response: Response | None) -> Response | None:
    """Return what a callback gave.

    Raises:
        TypeError: if it is neither a response nor None.
        InvalidMessage: if the response cannot be sent.
    """
    if response is not None:
        if not isinstance(response, Response):
            raise TypeError(f"expected a Response or None, not {type(response).__name__}")
        response.serialize()
    return response


class ConnectionMaker(Generic[Connection]):
    """Makes a server's connections.

    Args:
        create: makes one, of what :meth:`make` is given, its protocol, the server and the options.
        select_subprotocol: ``(connection, offered) -> chosen or None``, or None.
        trusted_proxies: addresses and networks of the server's own proxies.
        protocol_options: those of :class:`~ws6455.protocol.server.ServerProtocol`.
        connection_options: those of `create`.
        protocol_class: this class, or one derived from it.

    Raises:
        ValueError: if there is no such address or network.
    """

    def __init__(
        self,
        create: Callable[..., Connection],
        select_subprotocol: Callable[[Connection, Sequence[str]], str | None] | None,
        trusted_proxies: Sequence[str],
        protocol_options: dict[str, Any],
        connection_options: dict[str, Any],
        protocol_class: type[ServerProtocol] = ServerProtocol,
    ) -> None:
        self._create = create
        self._select_subprotocol = select_subprotocol
        self._trusted_proxies = parse_networks(trusted_proxies)
        self._protocol_options = protocol_options
        self._connection_options = connection_options
        self._protocol_class = protocol_class

    def make(self, server: object, *first: Any) -> Connection:
        """Make a connection for a client that has been accepted.

        Args:
            server: the server, or None.
            first: what `create` is given first.
        """
        select = self._select_subprotocol
        if select is None:
            protocol = self._protocol_class(**self._protocol_options)
        else:

            def ask(_: ServerProtocol, offered: Sequence[str]) -> str | None:
                connection = reference()
                assert connection is not None  # it is who asks
                return select(connection, offered)

            protocol = self._protocol_class(select_subprotocol=ask, **self._protocol_options)
        connection = self._create(*first, protocol, server, **self._connection_options)
        if select is not None:
            reference = weakref.ref(connection)
        if self._trusted_proxies:
            connection.trusted_proxies = self._trusted_proxies
        return connection
