"""One connection of the threaded server, and its side of the opening handshake.

RFC 6455 §4.2.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..http1.head import SERVER, Request, Response
from ..protocol.server import ServerProtocol
from ..protocol.states import CONNECTING
from ..server.session import ServerSession, check_response
from ..session.options import session_options
from .connection import Connection

if TYPE_CHECKING:
    from .server import Server

__all__ = ["ProcessRequest", "ProcessResponse", "ServerConnection"]

ProcessRequest = Callable[["ServerConnection", Request], Response | None]
ProcessResponse = Callable[["ServerConnection", Request, Response], Response | None]


class ServerConnection(Connection, ServerSession):
    """A server's connection; the handler given to `serve` gets one.

    Args:
        sock: a connected socket; the others are as in
            :class:`ws6455.aio.server_connection.ServerConnection`.
    """

    def __init__(
        self,
        sock: socket.socket,
        protocol: ServerProtocol,
        server: Server | None = None,
        *,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        max_queue: int | tuple[int | None, int | None] | None = 16,
    ) -> None:
        self.server = server
        policy = session_options(ping_interval, ping_timeout, close_timeout, max_queue)
        super().__init__(sock, protocol, **policy)

    def handshake(
        self,
        process_request: ProcessRequest | None = None,
        process_response: ProcessResponse | None = None,
        server_header: str | None = SERVER,
        timeout: float | None = None,
    ) -> None:
        """Read the request and answer it; afterwards `protocol.handshake_exc` tells.

        See :func:`~ws6455.sync.server.serve` for the callbacks.

        Args:
            process_request: sees the request.
            process_response: sees the response.
            server_header: for the response, unless it has one.
            timeout: seconds for all of it; None for any.
        """
        protocol = self.protocol
        with self._lock:
            # By the watcher's clock, since this thread is not always waiting on the socket.
            self._close_by = None if timeout is None else time.monotonic() + timeout
            self._deadline_changed()
            while protocol.request is None and protocol.handshake_exc is None:
                self._wait_readable(None)
        if protocol.request is None:
            self._leave_alone()
            self._log_refusal()
            return
        response = self._choose_response(protocol.request, process_request, process_response)
        with self._lock:
            # Else the client has gone, or the time was over.
            if protocol.state is CONNECTING:
                closing = self.server is not None and self.server.is_closing
                if self._send_response(response, server_header, closing):
                    self._start()
                else:
                    self._leave_alone()

    def _choose_response(
        self,
        request: Request,
        process_request: ProcessRequest | None,
        process_response: ProcessResponse | None,
    ) -> Response:
        try:
            answer = process_request and check_response(process_request(self, request))
            response = answer or self.protocol.accept(request)
            if process_response is not None:
                response = check_response(process_response(self, request, response)) or response
                check_response(response)  # it may have been changed
        except Exception as exc:
            return self._respond_to_failure(exc)
        return response

    def leave(self, close: bool, code: int, reason: str) -> bool:
        """Start to close for a server that shuts down.

        Args:
            close: whether to close a connection that is open.
            code: for the Close frame.
            reason: for the Close frame.

        Returns:
            Whether it will be closed soon. One whose request is being answered gets 503, or
            would have to be closed later.
        """
        with self._lock:
            if self.request is not None and (self.state is CONNECTING or not close):
                return False
        self.start_closing(code, reason)
        return True
