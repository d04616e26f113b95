"""One connection of the asyncio server, and its side of the opening handshake.

RFC 6455 §4.2.
"""

from __future__ import annotations

import abc
import asyncio
import inspect
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from ..http1.head import SERVER, Request, Response
from ..protocol.server import ServerProtocol
from ..protocol.states import CONNECTING
from ..server.registry import Registry
from ..server.session import ServerSession
from ..session.signature import with_options_of
from .connection import Connection

__all__ = ["BaseServer", "ProcessRequest", "ProcessResponse", "ServerConnection"]

ProcessRequest = Callable[
    ["ServerConnection", Request], Awaitable[Response | None] | Response | None
]
ProcessResponse = Callable[
    ["ServerConnection", Request, Response], Awaitable[Response | None] | Response | None
]


class BaseServer(Registry["ServerConnection"], abc.ABC):
    """A server as its connections know it; see :class:`~ws6455.aio.server.Server`."""

    @abc.abstractmethod
    async def run(self, connection: ServerConnection) -> None:
        """Answer the request of a connection, run the handler and close."""

    @property
    @abc.abstractmethod
    def sockets(self) -> Iterable[socket.socket]:
        """The sockets that the server listens on."""

    @abc.abstractmethod
    def is_serving(self) -> bool:
        """Return True while the server accepts clients."""

    @abc.abstractmethod
    def close(self, close_connections: bool = True, code: int = 1001, reason: str = "") -> None:
        """Close the server, see :meth:`ws6455.aio.server.Server.close`."""

    @abc.abstractmethod
    async def wait_closed(self) -> None:
        """Wait until the server is closed and every handler has returned."""


class ServerConnection(Connection, ServerSession):
    """A server's connection; the handler given to :class:`~ws6455.aio.server.serve` gets one.

    Args:
        protocol: the connection without I/O.
        server: the server; None for a connection of :func:`~ws6455.aio.accept.accept`.
        options: those of :class:`~ws6455.aio.connection.Connection`.
    """

    __slots__ = ("__dict__", "__weakref__", "_task", "server")

    protocol: ServerProtocol

    @with_options_of(Connection)
    def __init__(self, protocol: ServerProtocol, server: BaseServer | None, **options: Any) -> None:
        super().__init__(protocol, **options)
        self.server: BaseServer | None = server
        self._task: asyncio.Task[None] | None = None

    def open_by(self, deadline: float | None) -> None:
        """Set the time, by `time.monotonic`, at which the opening handshake is given up."""
        self._close_by = deadline
        self._reschedule()

    async def handshake(
        self,
        process_request: ProcessRequest | None = None,
        process_response: ProcessResponse | None = None,
        server_header: str | None = SERVER,
    ) -> None:
        """Answer the request that was received; `protocol.handshake_exc` is the outcome.

        Args:
            process_request: see :class:`~ws6455.aio.server.serve`.
            process_response: see :class:`~ws6455.aio.server.serve`.
            server_header: the value of Server, unless the response has one; None for none.
        """
        protocol = self.protocol
        request = protocol.request
        assert request is not None
        try:
            result = None
            if process_request is not None:
                result = await _result(process_request(self, request))
            response = self._first_response(request, result)
            if process_response is not None:
                result = await _result(process_response(self, request, response))
                response = self._final_response(response, result)
        except Exception as exc:
            response = self._reject_error(exc)
        if protocol.state is not CONNECTING:
            return  # the client has closed the connection
        server = self.server
        closing = server is not None and not server.is_serving()
        self._resume_reading()  # first: a transport that closes would not read the end of TLS
        accepted = self._send_response(response, server_header, closing)
        if accepted:
            self._start()

    def _process_events(self) -> None:
        super()._process_events()
        protocol = self.protocol
        if protocol.state is not CONNECTING:
            return
        if protocol.request is None:
            if protocol.response is not None:
                self._log_refusal()  # the request was malformed
        elif self._task is None and self.server is not None:
            self._task = self.loop.create_task(self.server.run(self))
            # A callback: a task that is cancelled before it starts runs none of its own code.
            self._task.add_done_callback(self._end_task)
        if protocol.has_early_data and not self._reading_paused:
            # Frames that precede the response are kept; those read with the first are the bound.
            self._reading_paused = True
            self._io.pause_reading()

    def _end_task(self, _: asyncio.Task[None]) -> None:
        assert self.server is not None
        self.server.forget(self)  # first: a server that closes waits for the connections it has
        self._abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Process the end of the transport, which cancels a handshake that is being answered."""
        protocol = self.protocol
        if protocol.request is None and protocol.response is None:
            self._log_refusal()
        super().connection_lost(exc)
        if protocol.response is None and self._task is not None:
            self._task.cancel()
        if self.server is not None and self._task is None:
            self.server.forget(self)


async def _result(result: Awaitable[Response | None] | Response | None) -> Response | None:
    """Return the result of a plain function or a coroutine."""
    return await result if inspect.isawaitable(result) else result
