"""One connection of the asyncio server, and its side of the opening handshake.

RFC 6455 §4.2.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..http1.head import SERVER, Request, Response
from ..protocol.server import ServerProtocol
from ..protocol.states import CONNECTING
from ..server.session import ServerSession, check_response
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


class ServerConnection(Connection, ServerSession):
    """A server's connection; the handler given to :class:`serve` gets one.

    Args:
        protocol: the connection without I/O.
        server: the server; None for one made by :func:`~ws6455.aio.accept.accept`.
        ping_interval, ping_timeout, close_timeout, max_queue, write_limit: see
            :class:`~ws6455.aio.connection.Connection`.
    """

    __slots__ = ("__dict__", "__weakref__", "_task", "server")

    protocol: ServerProtocol

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
        self._task: asyncio.Task[None] | None = None

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
        response = await self._choose_response(request, process_request, process_response)
        if protocol.state is not CONNECTING:
            return  # the client has gone
        closing = self.server is not None and not self.server.is_serving()
        accepted = self._send_response(response, server_header, closing)
        self._go_on_reading()
        if accepted:
            self._begin()

    async def _choose_response(
        self,
        request: Request,
        process_request: ProcessRequest | None,
        process_response: ProcessResponse | None,
    ) -> Response:
        try:
            response = None
            if process_request is not None:
                response = check_response(await _result_of(process_request(self, request)))
            if response is None:
                response = self.protocol.accept(request)
            if process_response is not None:
                changed = await _result_of(process_response(self, request, response))
                response = check_response(changed) or response
                check_response(response)  # it may itself have been changed
        except Exception as exc:
            return self._respond_to_failure(exc)
        return response

    def _attend(self) -> None:
        super()._attend()
        protocol = self.protocol
        if protocol.state is not CONNECTING:
            return
        if protocol.request is None:
            if protocol.response is not None:
                self._log_refusal()  # the request could not even be read
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
        self.server.forget(self)  # first: a server that closes waits for those it knows
        self._abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take the end of the transport; it ends a handshake that is being answered."""
        protocol = self.protocol
        if protocol.request is None and protocol.response is None:
            self._log_refusal()
        super().connection_lost(exc)
        if protocol.response is None and self._task is not None:
            self._task.cancel()
        if self.server is not None and self._task is None:
            self.server.forget(self)


async def _result_of(result: Awaitable[Response | None] | Response | None) -> Response | None:
    """Return what a plain function or a coroutine gave."""
    return await result if inspect.isawaitable(result) else result
