"""Asyncio connections with the attributes of every version.

The compatible ``connect`` and ``serve`` make connections of these classes, so that ``isinstance``
and annotations hold for the names of every version.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import exceptions
from ..aio import client_connection, server_connection
from ..aio.connection import Connection
from ..framing.deflate import PerMessageDeflate
from ..framing.frames import Close
from ..framing.message_reader import Message
from ..http1.head import SERVER, USER_AGENT, Request, Response
from ..http1.headers import Headers, HeadersLike
from ..protocol.client import ClientProtocol
from ..protocol.handshake import Origins, check_origin
from ..protocol.server import ServerProtocol
from ..protocol.states import CLOSED, CONNECTING, OPEN
from .arguments import as_response
from .exceptions import InvalidStatus

if TYPE_CHECKING:
    from ..aio.server_connection import BaseServer
    from ..aio.streams import StreamProtocol

__all__ = ["ClientConnection", "ServerConnection", "WebSocketCommonProtocol"]


# Methods that a subclass could override in versions 8 to 13, and that ws6455 does not call.
_NEVER_CALLED = {
    "process_extensions",
    "read_http_request",
    "read_http_response",
    "write_http_request",
    "write_http_response",
}


class WebSocketCommonProtocol(Connection, asyncio.Protocol):
    """A connection of either role with its members up to version 13."""

    is_client: bool
    side: str
    _until_closed: asyncio.Task[None] | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a subclass that overrides a method which is never called.

        Raises:
            NotImplementedError: if the subclass has such a method.
        """
        super().__init_subclass__(**options)
        for name in _NEVER_CALLED & vars(cls).keys():
            raise NotImplementedError(f"ws6455 does not call {cls.__name__}.{name}()")

    def attach(self, writer: asyncio.StreamWriter, stream: StreamProtocol | None = None) -> None:
        """Attach the writer of the stream pair, then call :meth:`connection_made`."""
        super().attach(writer, stream)
        self.connection_made(writer.transport)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Do nothing; called when the connection has a transport, for a subclass to override."""

    def connection_open(self) -> None:
        """Do nothing; called after the opening handshake, for a subclass to override."""

    def data_received(self, data: bytes) -> None:
        """Receive bytes from the transport."""
        self.receive(data)

    def eof_received(self) -> bool:
        """Receive the end of the stream; return True if there is still something to write."""
        return self.receive_eof()

    async def recv(self, decode: bool | None = None) -> Any:
        """Receive the next message; see :meth:`ws6455.ClientConnection.recv`.

        It is a coroutine function, so that a mock with this class as its `spec` has one too.
        """
        return await self._receive_message(decode, False)

    @property
    def open(self) -> bool:
        """True if the connection is open."""
        return self.protocol.state is OPEN

    @property
    def closed(self) -> bool:
        """True if the connection is closed."""
        return self.state is CLOSED

    @property
    def path(self) -> str | None:
        """The request's path and query; None before the handshake."""
        return None if self.request is None else self.request.path

    @property
    def request_headers(self) -> Headers | None:
        """The request's headers; None before the handshake."""
        return None if self.request is None else self.request.headers

    @property
    def response_headers(self) -> Headers | None:
        """The response's headers; None before the handshake."""
        return None if self.response is None else self.response.headers

    @property
    def origin(self) -> str | None:
        """The value of Origin, or None."""
        return self.protocol.origin

    @property
    def extensions(self) -> Sequence[PerMessageDeflate]:
        """The extensions in use."""
        return self.protocol.extensions

    @property
    def host(self) -> str | None:
        """The server's name or address."""
        address = self.local_address
        return address[0] if isinstance(address, tuple) else None

    @property
    def port(self) -> int | None:
        """The server's TCP port."""
        address = self.local_address
        return address[1] if isinstance(address, tuple) else None

    @property
    def secure(self) -> bool:
        """True if the connection uses TLS."""
        return (
            self.transport is not None and self.transport.get_extra_info("ssl_object") is not None
        )

    @property
    def timeout(self) -> float | None:
        """The close timeout, under its name in version 8."""
        return self.close_timeout

    @property
    def close_rcvd(self) -> Close | None:
        """The Close frame received, or None."""
        return self.protocol.close_rcvd

    @property
    def close_sent(self) -> Close | None:
        """The Close frame sent, or None."""
        return self.protocol.close_sent

    @property
    def debug(self) -> bool:
        """True if frames are logged."""
        return self.protocol.debug

    @property
    def messages(self) -> deque[Message]:
        """The messages received that :meth:`recv` has not returned yet."""
        return self.protocol.queue.messages

    @property
    def pings(self) -> dict[bytes, tuple[asyncio.Future[float] | None, float]]:
        """The pings without a pong: by payload, the future of the pong and the time of sending."""
        return {
            data: (waiter, sent_at) for data, (sent_at, waiter) in self._keepalive.pings.items()
        }

    @property
    def transfer_data_task(self) -> asyncio.Task[None]:
        """A task that ends with the connection; no task reads from it."""
        if self._until_closed is None:
            self._until_closed = self.loop.create_task(self.wait_closed())
        return self._until_closed

    close_connection_task = transfer_data_task
    keepalive_ping_task = transfer_data_task

    async def ensure_open(self) -> None:
        """Check that messages can be sent.

        Raises:
            ConnectionClosed: if the connection is closed.
            InvalidState: if the connection is not open yet.
        """
        if self.protocol.state is CONNECTING:
            raise exceptions.InvalidState("connection isn't open yet")
        if self.protocol.state is not OPEN:
            await self._raise_closed()

    def fail_connection(self, code: int = 1006, reason: str = "") -> None:
        """*Fail the WebSocket Connection* (§7.1.7).

        Args:
            code: the close code; 1006 sends no Close frame.
            reason: the reason in the Close frame.
        """
        self._fail(code, reason)


class ClientConnection(WebSocketCommonProtocol, client_connection.ClientConnection):
    """A client's connection; ``WebSocketClientProtocol`` up to version 13."""

    is_client = True
    side = "client"
    protocol: ClientProtocol

    async def handshake(
        self,
        additional_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
    ) -> None:
        """Send the request and wait until the connection is open.

        Raises:
            InvalidStatus: if the server rejects the connection; also an ``InvalidStatusCode``.
            InvalidHandshake: if the response is invalid.
        """
        try:
            await super().handshake(additional_headers, user_agent_header)
        except exceptions.InvalidStatus as exc:
            raise InvalidStatus(exc.response) from exc.__cause__
        self.connection_open()

    @property
    def host(self) -> str:
        """The server's name or address."""
        return self.protocol.uri.host

    @property
    def port(self) -> int:
        """The server's TCP port."""
        return self.protocol.uri.port

    @property
    def secure(self) -> bool:
        """True if the connection uses TLS."""
        return self.protocol.uri.secure


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
        """Respond to the request, by the methods that a subclass overrides."""
        if self._overrides("process_request"):
            self._process_request = process_request
            process_request = _call_subclass
        protocol = self.protocol
        steps = vars(protocol)  # attributes of the instance hide the protocol's methods
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
                steps.pop(step, None)  # it holds a reference to this connection
        if protocol.state is OPEN:
            self.connection_open()

    def _overrides(self, name: str) -> bool:
        return getattr(type(self), name) is not getattr(ServerConnection, name)

    async def process_request(self, path: str, request_headers: Headers) -> Any:
        """Accept the request or respond to it; for a subclass to override.

        Args:
            path: the path of the request.
            request_headers: the headers of the request.

        Returns:
            None to continue the handshake; else a response, or a tuple of its status, headers
            and body.
        """
        if self._process_request is None:
            return None
        assert self.request is not None
        answer = self._process_request(self, self.request)
        return await answer if inspect.isawaitable(answer) else answer

    def process_origin(self, headers: Headers, origins: Origins | None = None) -> str | None:
        """Check the request's Origin; for a subclass to override.

        Args:
            headers: the headers of the request.
            origins: the allowed origins.

        Raises:
            InvalidOrigin: if the request's Origin is not allowed.
        """
        return check_origin(headers, origins)

    def process_subprotocol(
        self, headers: Headers, available_subprotocols: Sequence[str] | None
    ) -> str | None:
        """Select the subprotocol from the request's headers; for a subclass to override.

        Args:
            headers: the headers of the request.
            available_subprotocols: the server's subprotocols, preferred first.

        Raises:
            InvalidHandshake: if no subprotocol is acceptable.
        """
        return ServerProtocol.process_subprotocol(self.protocol, headers)

    def select_subprotocol(
        self, client_subprotocols: Sequence[str], server_subprotocols: Sequence[str]
    ) -> str | None:
        """Select the subprotocol with the best rank in both lists; for a subclass to override.

        Args:
            client_subprotocols: the client's offers, preferred first.
            server_subprotocols: the server's subprotocols, preferred first.
        """
        common = [name for name in server_subprotocols if name in client_subprotocols]
        return min(
            common,
            key=lambda name: client_subprotocols.index(name) + server_subprotocols.index(name),
            default=None,
        )


async def _call_subclass(
    connection: server_connection.ServerConnection, request: Request
) -> Response | None:
    """Call the `process_request` that a subclass of :class:`ServerConnection` overrides."""
    assert isinstance(connection, ServerConnection)
    process_request = connection.process_request
    response: Response | None = await as_response(
        lambda: process_request(request.path, request.headers)
    )
    return response
