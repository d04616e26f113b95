"""What a server's connection does with a request, the same for every front end.

Floor 4: imports floors 0 to 3 and :mod:`ws6455.session`. RFC 6455 §4.2.
"""

from __future__ import annotations

import abc
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .errors import InvalidStatus
from .forwarded import Network, client_address
from .http11 import Headers, Response
from .opening import ServerProtocol
from .session import Session

__all__ = ["ServerSession", "check_response", "make_connection"]

Connection = TypeVar("Connection", bound="ServerSession")


class ServerSession(Session):
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
    trusted_proxies: Sequence[Network]

    @property
    @abc.abstractmethod
    def remote_address(self) -> Any:
        """The peer's address, as the socket gives it."""

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

    def _send_response(self, response: Response, server_header: str | None, closing: bool) -> None:
        """Send the response to the request, or that the server is closing, and log a refusal.

        Args:
            response: to the request.
            server_header: the value of Server, unless the response has one; None for none.
            closing: whether the server is. Asked last: a connection that opened now would have
                missed it.
        """
        if closing:
            response = self.respond(503, "Server is shutting down.\n")
        if server_header is not None and "Server" not in response.headers:
            response.headers["Server"] = server_header
        self.protocol.send_response(response)
        self._close_by = None
        self._attend()
        if self.protocol.handshake_exc is not None:
            self._log_refusal()

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


def make_connection(
    make: Callable[[ServerProtocol], Connection],
    select: Callable[[Connection, Sequence[str]], str | None] | None,
    protocol_options: dict[str, Any],
) -> Connection:
    """Make a connection whose subprotocol may be chosen by a callback that gets the connection.

    Args:
        make: makes it.
        select: ``(connection, offered) -> chosen or None``, or None.
        protocol_options: those of :class:`~ws6455.opening.ServerProtocol`.
    """
    if select is None:
        return make(ServerProtocol(**protocol_options))

    def select_subprotocol(_: ServerProtocol, offered: Sequence[str]) -> str | None:
        connection = reference()
        assert connection is not None  # it is who asks
        return select(connection, offered)

    connection = make(ServerProtocol(select_subprotocol=select_subprotocol, **protocol_options))
    reference = weakref.ref(connection)
    return connection
