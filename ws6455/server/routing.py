"""Routing of requests to handlers by their path, with a URL map of werkzeug.

The modules `router` of the front ends call the handler.
"""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any, Protocol

from ..http1.head import Request, Response

if TYPE_CHECKING:
    from werkzeug.routing import Map

__all__ = ["RoutedConnection", "Routing"]


class RoutedConnection(Protocol):
    """The interface of a connection that routing uses."""

    handler: Any
    handler_kwargs: dict[str, Any]

    def respond(self, status: int, text: str) -> Response:
        """Build a plain-text response."""


class Routing:
    """Finds the handler of a request in a URL map, whose endpoints are the handlers.

    Args:
        url_map: a :class:`werkzeug.routing.Map`.
        server_name: the host in redirects; by default the Host of the request.
        url_scheme: the scheme of redirects: ``"ws"``, or ``"wss"`` if this server or a proxy in
            front of it uses TLS.

    Raises:
        ImportError: if werkzeug is not installed.
    """

    def __init__(
        self, url_map: Map, server_name: str | None = None, url_scheme: str = "ws"
    ) -> None:
        try:
            import werkzeug.routing  # noqa: F401 - fails now rather than at a request
        except ImportError as exc:
            raise ImportError("routing needs werkzeug: pip install 'ws6455[routing]'") from exc
        self.url_map = url_map
        self.server_name = server_name
        self.url_scheme = url_scheme

    def get_server_name(self, connection: Any, request: Request) -> str:
        """Return the host for redirects."""
        return self.server_name if self.server_name is not None else request.headers["Host"]

    def redirect(self, connection: RoutedConnection, url: str) -> Response:
        """Build the 302 response to a path that has another canonical form."""
        response = connection.respond(302, f"Found at {url}\n")
        response.headers["Location"] = url
        return response

    def bad_request(self, connection: RoutedConnection) -> Response:
        """Build the 400 response to a missing, repeated or invalid Host header."""
        return connection.respond(400, "Bad Request\n")

    def not_found(self, connection: RoutedConnection) -> Response:
        """Build the 404 response to a path without a handler."""
        return connection.respond(404, "Not Found\n")

    def route_request(self, connection: Any, request: Request) -> Response | None:
        """Find the handler, and store it on the connection with the captured values.

        Returns:
            None if a handler was found, else the response.
        """
        from werkzeug.exceptions import HTTPException
        from werkzeug.routing import RequestRedirect

        parts = urllib.parse.urlsplit(request.path)
        try:
            server_name = self.get_server_name(connection, request)
            adapter = self.url_map.bind(server_name, url_scheme=self.url_scheme)
        except (LookupError, HTTPException):
            return self.bad_request(connection)
        path = urllib.parse.unquote(parts.path)
        # werkzeug distinguishes rules for WebSocket from others; both kinds are accepted here.
        for websocket in (True, False):
            try:
                found = adapter.match(path, query_args=parts.query, websocket=websocket)
            except RequestRedirect as redirect:
                return self.redirect(connection, redirect.new_url)
            except HTTPException:
                continue
            connection.handler, connection.handler_kwargs = found
            return None
        return self.not_found(connection)
