"""Server's side of a connection, shared by `aio` and `sync`; no I/O.

RFC 6455 §4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..exceptions import InvalidStatus
from ..http1.head import Request, Response
from ..http1.headers import Headers
from ..protocol.server import ServerProtocol
from ..protocol.states import OPEN
from ..session.connection import BaseConnection
from .forwarded import Network, client_address, peer_address
from .handler import is_connection_closed
from .proxy_protocol import SourceAddress

__all__ = ["ServerSession"]


class ServerSession(BaseConnection):
    """A server's connection; no I/O.

    Attributes:
        username: name of the user; only set by `basic_auth`.
        handler, handler_kwargs: handler found by the router and its keyword arguments; only set
            by `route`.
        trusted_proxies: networks of the server's own proxies.
        source_address: address of the client in the header of the PROXY protocol; None without.
    """

    __slots__ = ()

    protocol: ServerProtocol
    username: str
    handler: Callable[..., Any]
    handler_kwargs: dict[str, Any]
    trusted_proxies: Sequence[Network] = ()
    source_address: SourceAddress | None = None

    @property
    def remote_address(self) -> Any:
        """Address of the peer, as the socket gives it; (host, port) for IPv4.

        With `proxy_protocol`, the address of the client that the proxy has told.
        """
        return super().remote_address if self.source_address is None else self.source_address

    @property
    def client_address(self) -> str:
        """Address of the client, as trusted proxies have forwarded it.

        It is taken from X-Forwarded-For, or from Forwarded (RFC 7239) in a request without
        X-Forwarded-For. An IPv4-mapped address is given as an IPv4 address. The peer on a Unix
        socket counts as 127.0.0.1. Empty if the peer had gone before its address was known.
        """
        headers = Headers() if self.request is None else self.request.headers
        return client_address(peer_address(self.remote_address), headers, self.trusted_proxies)

    def respond(self, status: int, text: str) -> Response:
        """Build a plain-text response, for `process_request` to return.

        Args:
            status: an HTTP status.
            text: the body.
        """
        return self.protocol.reject(status, text)

    def _first_response(self, request: Request, result: Response | None) -> Response:
        """Return the response to a request.

        Args:
            request: the request.
            result: result of `process_request`; None to accept the request.

        Raises:
            TypeError, InvalidMessage: see :func:`_checked`.
        """
        return self.protocol.accept(request) if result is None else _checked(result)

    def _final_response(self, response: Response, result: Response | None) -> Response:
        """Return the response to send.

        Args:
            response: the first response; `process_response` may have changed it.
            result: result of `process_response`, which replaces it; or None.

        Raises:
            TypeError, InvalidMessage: see :func:`_checked`.
        """
        return _checked(response if result is None else result)

    def _reject_error(self, exc: Exception) -> Response:
        """Log the error of a callback, and build the response for it."""
        self.logger.error("opening handshake failed", exc_info=exc)
        return self.protocol.reject_error(exc)

    def _send_response(
        self, response: Response, server_header: str | None, server_is_closing: bool
    ) -> bool:
        """Send the response to the request, or 503 if the server is closing; log a refusal.

        Args:
            response: the response.
            server_header: value of Server, unless the response has one; None for no header.
            server_is_closing: True if the server opens no more connections. To be found out just
                before the call: the server's `close()` does not see a connection that opens later.

        Returns:
            True if the connection is open.
        """
        if server_is_closing:
            response = self.respond(503, "Server is shutting down.\n")
        if server_header is not None and "Server" not in response.headers:
            response.headers["Server"] = server_header
        self.protocol.send_response(response)
        self._close_by = None
        self._process_events()
        if self.protocol.handshake_exc is None:
            return True
        self._log_refusal()
        return False

    def _log_refusal(self) -> None:
        """Log the refusal of a request, or the end of a connection without a request."""
        exc, response = self.protocol.handshake_exc, self.protocol.response
        if response is None:
            self.logger.debug("connection closed without a request: %s", exc)
            return
        reason = "" if isinstance(exc, InvalidStatus) else f": {exc}"
        self.logger.info(
            "connection rejected (%d %s)%s", response.status_code, response.reason_phrase, reason
        )

    # The handler ------------------------------------------------------------------------

    def _log_handler_error(self, exc: Exception) -> None:
        """Log the exception of a handler; a closed connection is not an error."""
        if self.state is not OPEN and is_connection_closed(exc):
            self.logger.debug("connection handler ended: %s", exc)
        else:
            self.logger.error("connection handler failed", exc_info=exc)


def _checked(response: Response) -> Response:
    """Return a response that a callback has returned or changed.

    Raises:
        TypeError: if it is not a response.
        InvalidMessage: if it cannot be sent.
    """
    if not isinstance(response, Response):
        raise TypeError(f"expected a Response or None, not {type(response).__name__}")
    response.serialize()
    return response
