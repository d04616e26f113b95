"""One connection of the threaded server, and its side of the opening handshake.

RFC 6455 §4.2.
"""

from __future__ import annotations

import abc
import socket
import time
from collections.abc import Callable
from typing import Any

from ..http1.head import SERVER, Request, Response
from ..protocol.server import ServerProtocol
from ..protocol.states import CONNECTING
from ..server.registry import Registry
from ..server.session import ServerSession
from ..session.signature import with_options_of
from .connection import Connection

__all__ = ["BaseServer", "ProcessRequest", "ProcessResponse", "ServerConnection"]

ProcessRequest = Callable[["ServerConnection", Request], Response | None]
ProcessResponse = Callable[["ServerConnection", Request, Response], Response | None]


class BaseServer(Registry["ServerConnection"], abc.ABC):
    """A server as its connections know it; see :class:`~ws6455.sync.server.Server`."""

    is_closing: bool

    @abc.abstractmethod
    def shutdown(self, close_connections: bool = True, code: int = 1001, reason: str = "") -> None:
        """Shut down, see :meth:`ws6455.sync.server.Server.shutdown`."""


class ServerConnection(Connection, ServerSession):
    """A server's connection; the handler given to `serve` gets one.

    Args:
        sock: a connected socket; the others are as in
            :class:`ws6455.aio.server_connection.ServerConnection`.
    """

    @with_options_of(Connection)
    def __init__(
        self,
        sock: socket.socket,
        protocol: ServerProtocol,
        server: BaseServer | None = None,
        **options: Any,
    ) -> None:
        self.server = server
        super().__init__(sock, protocol, **options)

    def handshake(
        self,
        process_request: ProcessRequest | None = None,
        process_response: ProcessResponse | None = None,
        server_header: str | None = SERVER,
        timeout: float | None = None,
    ) -> None:
        """Read the request and answer it; `protocol.handshake_exc` is the outcome.

        See :func:`~ws6455.sync.server.serve` for the callbacks.

        Args:
            process_request: called with the request.
            process_response: called with the request and the response.
            server_header: for the response, unless it has one.
            timeout: seconds for the whole handshake; None for no limit.
        """
        protocol = self.protocol
        with self._lock:
            # By the watcher's clock: this thread does not always wait on the socket.
            self._close_by = None if timeout is None else time.monotonic() + timeout
            self._reschedule()
            while protocol.request is None and protocol.handshake_exc is None:
                self._wait_readable(None)
        request = protocol.request
        if request is None:
            self._leave_to_watcher()
            self._log_refusal()
            return
        try:
            result = None if process_request is None else process_request(self, request)
            response = self._first_response(request, result)
            if process_response is not None:
                changed = process_response(self, request, response)
                response = self._final_response(response, changed)
        except Exception as exc:
            response = self._reject_error(exc)
        with self._lock:
            # In any other state the client has closed the connection, or the timeout is over.
            if protocol.state is CONNECTING:
                closing = self.server is not None and self.server.is_closing
                if self._send_response(response, server_header, closing):
                    self._start()
                else:
                    self._leave_to_watcher()

    def leave(self, close: bool, code: int, reason: str) -> bool:
        """Start to close, since the server shuts down.

        Args:
            close: True to close an open connection.
            code: for the Close frame.
            reason: for the Close frame.

        Returns:
            True if the connection is closing. False if it stays open, or if its request is being
            answered, which the server does with 503.
        """
        with self._lock:
            if self.request is not None and (self.state is CONNECTING or not close):
                return False
        self.start_closing(code, reason)
        return True
