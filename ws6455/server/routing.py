"""Which handler a request is for, by its path: patterns of werkzeug's routing.

The front ends' modules `router` run the handler.
"""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any, Protocol

from ..http1.head import Request, Response

if TYPE_CHECKING:
    from werkzeug.routing import Map

__all__ = ["RoutedConnection", "Routing"]


class RoutedConnection(Protocol):
    """What routing asks of a connection: to answer a request, and to keep what was found."""

    handler: Any
    handler_kwargs: dict[str, Any]

    def respond(self, status: int, text: str) -> Response:
        """Make a plain-text response."""


class Routing:
    """Finds a request's handler in a URL map; its values are the endpoints.

    Args:
        url_map: a :class:`werkzeug.routing.Map`.
        server_name: the host that redirects name; by default the one that was asked for.
        url_scheme: of redirects: ``"ws"``, or ``"wss"`` where TLS is used or ends before.

    Raises:
        ImportError: if werkzeug is not installed.
    """

    def __init__(
        self, url_map: Map, server_name: str | None = None, url_scheme: str = "ws"
    ) -> None:
        try:
            import werkzeug.routing  # noqa: F401 - here to tell now rather than at a request
        except ImportError as exc:
            raise ImportError("routing needs werkzeug: pip install 'ws6455[routing]'") from exc
        self.url_map = url_map
        self.server_name = server_name
        self.url_scheme = url_scheme

    def get_server_name(self, connection: Any, request: Request) -> str:
        """Return the host for redirects."""
        return self.server_name if self.server_name is not None else request.headers["Host"]

    def redirect(self, connection: RoutedConnection, url: str) -> Response:
        """Make the response for a path that has another form: 302."""
        response = connection.respond(302, f"Found at {url}\n")
        response.headers["Location"] = url
        return response

    def bad_request(self, connection: RoutedConnection) -> Response:
        """Make the response for no Host, several, or one that cannot be a name: 400."""
        return connection.respond(400, "Bad Request\n")

    def not_found(self, connection: RoutedConnection) -> Response:
        """Make the response for a path without a handler: 404."""
        return connection.respond(404, "Not Found\n")

    def route_request(self, connection: Any, request: Request) -> Response | None:
        """Find the handler and keep it, with the values captured, on the connection.

        Returns:
            None, or the response if there is no such handler.
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
        # A rule is for WebSocket connections or for others, to werkzeug; here every one will do.
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
