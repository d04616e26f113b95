"""One connection of the asyncio server, and its side of the opening handshake.

Floor 5, asyncio. RFC 6455 §4.2.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InvalidStatus
from ..forwarded import Network, client_address
from ..http11 import SERVER, Request, Response
from ..opening import ServerProtocol
from ..protocol import State
from .connection import Connection

if TYPE_CHECKING:
    from .server import Server

__all__ = ["ProcessRequest", "ProcessResponse", "ServerConnection"]

ProcessRequest = Callable[
    ["ServerConnection", Request], Awaitable[Response | None] | Response | None
]
ProcessResponse = Callable[
    ["ServerConnection", Request, Response], Awaitable[Response | None] | Response | None
]


class ServerConnection(Connection):
    """A server's connection; the handler given to :class:`serve` gets one.

    Args:
        protocol: the connection without I/O.
        server: the server; None for one made by :func:`~ws6455.aio.accept.accept`.
        ping_interval, ping_timeout, close_timeout, max_queue, write_limit: see
            :class:`~ws6455.aio.connection.Connection`.
    """

    __slots__ = ("__dict__", "__weakref__", "_task", "server", "trusted_proxies")

    protocol: ServerProtocol
    #: Who it is; there only after :func:`~ws6455.aio.authentication.basic_auth`.
    username: str
    #: What the router has found; there only with :func:`~ws6455.aio.router.route`.
    handler: Callable[..., Awaitable[Any]]
    handler_kwargs: dict[str, Any]

    def __init__(
        self,
        protocol: ServerProtocol,
        server: Server | None,
        *,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        max_queue: int | tuple[int | None, int | None] | None = 16,
        write_limit: int | tuple[int, int | None] = 1 << 15,
    ) -> None:
        super().__init__(
            protocol,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=close_timeout,
            max_queue=max_queue,
            write_limit=write_limit,
        )
        self.server = server
        self.trusted_proxies: Sequence[Network] = ()
        self._task: asyncio.Task[None] | None = None

    @property
    def client_address(self) -> str:
        """The client's address, which proxies have forwarded if they are among the trusted.

        On a Unix socket the peer counts as 127.0.0.1.
        """
        address = self.remote_address
        peer = address[0] if isinstance(address, tuple) else "127.0.0.1"
        if self.request is None:
            return peer
        return client_address(peer, self.request.headers, self.trusted_proxies)

    def respond(self, status: int, text: str) -> Response:
        """Make a plain-text response, for `process_request` to return.

        Args:
            status: an HTTP status.
            text: the body.
        """
        return self.protocol.reject(status, text)

    def open_by(self, deadline: float | None) -> None:
        """Abort unless the opening handshake is through at `deadline`, by `time.monotonic`."""
        self._close_by = deadline
        self._deadline_changed()

    async def handshake(
        self,
        process_request: ProcessRequest | None = None,
        process_response: ProcessResponse | None = None,
        server_header: str | None = SERVER,
    ) -> None:
        """Answer the request that was received; afterwards `protocol.handshake_exc` tells.

        Args:
            process_request: see :class:`serve`.
            process_response: see :class:`serve`.
            server_header: the value of Server, unless the response has one; None for none.
        """
        protocol = self.protocol
        request = protocol.request
        assert request is not None
        response = await self._respond(request, process_request, process_response)
        if server_header is not None and "Server" not in response.headers:
            response.headers["Server"] = server_header
        if protocol.state is not State.CONNECTING:
            return  # the client has gone
        protocol.send_response(response)
        self._close_by = None
        self._attend()
        self._go_on_reading()
        if protocol.handshake_exc is None:
            self._check_high_water_mark()
            self._start_keepalive()
        else:
            self._log_refusal(response)

    async def _respond(
        self,
        request: Request,
        process_request: ProcessRequest | None,
        process_response: ProcessResponse | None,
    ) -> Response:
        protocol = self.protocol
        try:
            response = None
            if process_request is not None:
                response = await _result_of(process_request(self, request))
            if response is None:
                response = protocol.accept(request)
            if process_response is not None:
                changed = await _result_of(process_response(self, request, response))
                response = response if changed is None else changed
                response.serialize()  # raises if it was changed into what cannot be sent
            if self.server is not None and not self.server.is_serving():
                # Asked last: a connection that opened now would have missed the closing.
                return self.respond(503, "Server is shutting down.\n")
        except Exception as exc:
            protocol.handshake_exc = exc
            self.logger.error("opening handshake failed", exc_info=exc)
            exc.__traceback__ = None  # its frames refer to this connection
            return self.respond(500, "Failed to open a WebSocket connection: see the server log.\n")
        return response

    def _attend(self) -> None:
        super()._attend()
        protocol = self.protocol
        if protocol.state is not State.CONNECTING:
            return
        if protocol.request is None:
            if protocol.response is not None:
                self._log_refusal(protocol.response)  # the request could not even be read
        elif self._task is None and self.server is not None:
            self._task = self.loop.create_task(self.server.conduct(self))
            # A task that is cancelled before it starts does nothing at all, so not this.
            self._task.add_done_callback(self._forget)
        if protocol.has_early_data and not self._reading_paused:
            # Frames before the response are kept, but no more of them than came with the first.
            self._reading_paused = True
            self._pause_reading()

    def _forget(self, _: asyncio.Task[None]) -> None:
        assert self.server is not None
        self._abort()
        self.server.forget(self)

    def _log_refusal(self, response: Response) -> None:
        exc = self.protocol.handshake_exc
        reason = "" if isinstance(exc, InvalidStatus) else f": {exc}"
        self.logger.info(
            "connection rejected (%d %s)%s", response.status_code, response.reason_phrase, reason
        )

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take the end of the transport; it ends a handshake that is being answered."""
        protocol = self.protocol
        if protocol.request is None and protocol.response is None:
            self.logger.debug("connection closed without a request: %s", protocol.handshake_exc)
        super().connection_lost(exc)
        if protocol.response is None and self._task is not None:
            self._task.cancel()
        if self.server is not None and self._task is None:
            self.server.forget(self)


async def _result_of(result: Awaitable[Response | None] | Response | None) -> Response | None:
    """Return what a plain function or a coroutine gave.

    Raises:
        TypeError: if it is neither a response nor None.
        InvalidMessage: if the response cannot be sent.
    """
    response = await result if inspect.isawaitable(result) else result
    if response is None:
        return None
    if not isinstance(response, Response):
        raise TypeError(f"expected a Response or None, not {type(response).__name__}")
    response.serialize()
    return response
