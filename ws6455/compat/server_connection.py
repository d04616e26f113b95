"""A server's connection, with the steps of the handshake that a subclass could override."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..aio import server_connection
from ..http1.head import SERVER, Request, Response
from ..http1.headers import Headers
from ..protocol.handshake import Origins, check_origin
from ..protocol.server import ServerProtocol
from ..protocol.states import OPEN
from .callbacks import as_response
from .connection import WebSocketCommonProtocol

if TYPE_CHECKING:
    from ..aio.server_connection import BaseServer

__all__ = ["ServerConnection"]


class ServerConnection(WebSocketCommonProtocol, server_connection.ServerConnection):
    """A server's connection; ``WebSocketServerProtocol`` up to version 13.

    A subclass given as `create_protocol` or `klass` may override :meth:`process_request`,
    :meth:`process_origin`, :meth:`process_subprotocol` and :meth:`select_subprotocol`.
    """

    is_client = False
    side = "server"
    _process_request: server_connection.ProcessRequest | None = None

    @property
    def ws_server(self) -> BaseServer | None:
        """The server."""
        return self.server

    @property
    def handler_task(self) -> asyncio.Task[None] | None:
        """The task that runs the handler."""
        return self._task

    async def handshake(
        self,
        process_request: server_connection.ProcessRequest | None = None,
        process_response: server_connection.ProcessResponse | None = None,
        server_header: str | None = SERVER,
    ) -> None:
        """Answer the request; what a subclass overrides has its say."""
        if self._overrides("process_request"):
            self._process_request = process_request
            process_request = _ask_subclass
        protocol = self.protocol
        steps = vars(protocol)  # where they come before the protocol's own
        if self._overrides("process_origin"):
            steps["process_origin"] = lambda headers: self.process_origin(headers, protocol.origins)
        if self._overrides("process_subprotocol"):
            steps["process_subprotocol"] = lambda headers: self.process_subprotocol(
                headers, protocol.available_subprotocols
            )
        try:
            await super().handshake(process_request, process_response, server_header)
        finally:
            for step in ("process_origin", "process_subprotocol"):
                steps.pop(step, None)  # it refers to this connection
        if protocol.state is OPEN:
            self.connection_open()

    def _overrides(self, name: str) -> bool:
        return getattr(type(self), name) is not getattr(ServerConnection, name)

    async def process_request(self, path: str, request_headers: Headers) -> Any:
        """Let the handshake go on, or answer it; for a subclass to override.

        Args:
            path: of the request.
            request_headers: of the request.

        Returns:
            None to go on; or what the answer is: a response, or its status, headers and body.
        """
        if self._process_request is None:
            return None
        assert self.request is not None
        answer = self._process_request(self, self.request)
        return await answer if inspect.isawaitable(answer) else answer

    def process_origin(self, headers: Headers, origins: Origins | None = None) -> str | None:
        """Check the request's Origin; for a subclass to override.

        Args:
            headers: of the request.
            origins: those allowed.

        Raises:
            InvalidOrigin: if it is not among them.
        """
        return check_origin(headers, origins)

    def process_subprotocol(
        self, headers: Headers, available_subprotocols: Sequence[str] | None
    ) -> str | None:
        """Choose the subprotocol by the request's headers; for a subclass to override.

        Args:
            headers: of the request.
            available_subprotocols: supported here, preferred first.

        Raises:
            InvalidHandshake: if there is none that fits.
        """
        return ServerProtocol.process_subprotocol(self.protocol, headers)

    def select_subprotocol(
        self, client_subprotocols: Sequence[str], server_subprotocols: Sequence[str]
    ) -> str | None:
        """Choose the subprotocol that both sides together prefer; for a subclass to override.

        Args:
            client_subprotocols: offered by the client, preferred first.
            server_subprotocols: supported here, preferred first.
        """
        common = [name for name in server_subprotocols if name in client_subprotocols]
        return min(
            common,
            key=lambda name: client_subprotocols.index(name) + server_subprotocols.index(name),
            default=None,
        )


async def _ask_subclass(
    connection: server_connection.ServerConnection, request: Request
) -> Response | None:
    """Call the `process_request` that a subclass of :class:`ServerConnection` has overridden."""
    assert isinstance(connection, ServerConnection)
    ask = connection.process_request
    response: Response | None = await as_response(lambda: ask(request.path, request.headers))
    return response
