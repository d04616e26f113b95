"""Protocol class that uvicorn creates for each WebSocket connection."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast

from uvicorn.logging import TRACE_LOG_LEVEL

from ..aio.streams import StreamProtocol
from ..protocol.deflate_negotiation import server_extensions
from ..protocol.server import ServerProtocol
from ..server.registry import http_date
from .application import Application, connection_scope
from .connection import ASGIConnection

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

__all__ = ["WebSocketProtocol"]


class WebSocketProtocol(StreamProtocol):
    """Protocol that uvicorn creates for a client that requests a WebSocket connection.

    uvicorn's ``ws_max_size``, ``ws_max_queue``, ``ws_ping_interval``, ``ws_ping_timeout`` and
    ``ws_per_message_deflate`` apply. Events of an application are logged by ``uvicorn.error``,
    as uvicorn does, and events of the connection by ``ws6455.server``.

    The application is told of the end at once, with the code and reason of the Close frame that
    came first, whichever side sent it; 1006 if none was sent. A close reason above 123 bytes of
    UTF-8 is cut and ends with ``…``. A denial response is sent as its body comes.

    Args:
        config: uvicorn's configuration.
        server_state: state shared by the connections of the server.
        app_state: state set up by the application's lifespan.
        _loop: the event loop; by default the running loop.

    Attributes:
        transport: the transport of the connection.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(_loop or asyncio.get_running_loop(), self._connect)
        if not config.loaded:
            config.load()
        self._config = config
        self._server_state = server_state
        self._app_state = app_state
        self._application: Application | None = None
        self._is_paused = False
        self.transport: asyncio.Transport

    def _connect(self, writer: asyncio.StreamWriter) -> ASGIConnection:
        config = self._config
        protocol = ServerProtocol(
            extensions=server_extensions(
                None, "deflate" if config.ws_per_message_deflate else None
            ),
            max_size=config.ws_max_size,
            date=http_date if config.date_header else None,
        )
        return ASGIConnection(
            protocol,
            None,
            ping_interval=config.ws_ping_interval or None,  # in uvicorn 0 means no pings
            ping_timeout=config.ws_ping_timeout,
            max_queue=config.ws_max_queue,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the transport."""
        transport = cast(asyncio.Transport, transport)
        self.transport = transport
        if transport.get_write_buffer_size():
            # The rest of an earlier HTTP response, or of the TLS handshake. The transport may have
            # paused the protocol before this one, and tells the present one when it has room. So
            # become the present one, be paused, and have the transport consider it paused.
            transport.set_protocol(self)
            self.pause_writing()
            transport.set_write_buffer_limits(0)
        super().connection_made(transport)
        if self._is_paused:
            cast(ASGIConnection, self._connection).pause_writing()
        # uvicorn declares its own protocols only, but calls nothing besides `shutdown`.
        self._server_state.connections.add(self)  # type: ignore[arg-type]
        self._trace("made")

    def data_received(self, data: bytes) -> None:
        """Pass on the bytes received; uvicorn makes the first call, with the whole request."""
        super().data_received(data)
        connection = cast(ASGIConnection | None, self._connection)
        if self._application is None and connection is not None and connection.request is not None:
            self._application = Application(
                self._config,
                self._server_state.default_headers,
                connection_scope(self._config, self._app_state, connection, self.transport),
                connection,
            )
            # uvicorn waits for these tasks before it ends.
            task = self._event_loop.create_task(self._application.run())
            self._server_state.tasks.add(task)
            task.add_done_callback(self._server_state.tasks.discard)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on the end of the transport."""
        self._trace("lost")
        super().connection_lost(exc)
        self._server_state.connections.discard(self)
        self._application = None

    def pause_writing(self) -> None:
        """Note that the transport has no room; this may be known already."""
        if not self._is_paused:
            self._is_paused = True
            super().pause_writing()

    def resume_writing(self) -> None:
        """Note that the transport has room again."""
        if self._is_paused:
            self._is_paused = False
            super().resume_writing()

    def shutdown(self) -> None:
        """Close the connection with 1012, or refuse it with 503: the server shuts down."""
        connection = cast(ASGIConnection | None, self._connection)
        if connection is not None:
            if self._application is not None:
                self._application.shut_down()
            connection.shut_down()

    def _trace(self, event: str) -> None:
        """Log an event of the transport, as uvicorn's own protocols do."""
        logger = logging.getLogger("uvicorn.error")
        if self._connection is not None and logger.isEnabledFor(TRACE_LOG_LEVEL):
            client = cast(ASGIConnection, self._connection).remote_address
            prefix = f"{client[0]}:{client[1]} - " if isinstance(client, tuple) else ""
            logger.log(TRACE_LOG_LEVEL, "%sWebSocket connection %s", prefix, event)
