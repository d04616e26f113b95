"""WebSocket protocol for uvicorn: runs ASGI applications on the library's connections.

RFC 6455 §4.2 and the ASGI specification, "WebSocket" and "WebSocket Denial Response".

Use it with ``uvicorn.run(app, ws=WebSocketProtocol)``, or with uvicorn 0.36 or newer on the
command line: ``uvicorn --ws ws6455.uvicorn:WebSocketProtocol module:app``. uvicorn's HTTP protocol
reads the request and passes the transport on. The connection is then the same as one of `serve`,
with the application as its handler.
"""

from __future__ import annotations

import asyncio
import dataclasses
import http
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from uvicorn.protocols.utils import (
    ClientDisconnected,
    get_client_addr,
    get_local_addr,
    get_path_with_query_string,
    get_remote_addr,
    is_ssl,
)

from .aio.server_connection import ServerConnection
from .aio.streams import StreamProtocol
from .exceptions import ConnectionClosed
from .framing.frames import CloseCode
from .http1.head import Response
from .http1.headers import Headers
from .protocol.deflate_negotiation import server_extensions
from .protocol.server import ServerProtocol
from .protocol.states import CLOSED, OPEN
from .server.registry import http_date

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

__all__ = ["WebSocketProtocol"]

Event = MutableMapping[str, Any]
RawHeaders = list[tuple[bytes, bytes]]


class WebSocketProtocol(StreamProtocol):
    """Protocol that uvicorn creates for a client that requests a WebSocket connection.

    uvicorn's ``ws_max_size``, ``ws_max_queue``, ``ws_ping_interval``, ``ws_ping_timeout`` and
    ``ws_per_message_deflate`` apply. Events of an application are logged by ``uvicorn.error``,
    as uvicorn does, and events of the connection by ``ws6455.server``.

    Args:
        config: uvicorn's configuration.
        server_state: state shared by the connections of the server.
        app_state: state set up by the application's lifespan.
        _loop: the event loop; by default the running loop.
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
        self._application: _Application | None = None
        self._taken_over: asyncio.Transport

    def _connect(self, writer: asyncio.StreamWriter) -> _Connection:
        config = self._config
        protocol = ServerProtocol(
            extensions=server_extensions(
                None, "deflate" if config.ws_per_message_deflate else None
            ),
            max_size=config.ws_max_size,
            date=http_date if config.date_header else None,
        )
        return _Connection(
            protocol,
            None,
            ping_interval=config.ws_ping_interval or None,  # in uvicorn 0 means no pings
            ping_timeout=config.ws_ping_timeout,
            max_queue=config.ws_max_queue,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the transport."""
        transport = cast(asyncio.Transport, transport)
        unsent = transport.get_write_buffer_size() > 0
        if unsent:
            # The rest of an earlier HTTP response. The transport may have paused the writing of
            # the protocol before this one; pause this one in any case.
            transport.set_write_buffer_limits(0)
        self._taken_over = transport
        super().connection_made(transport)
        if unsent:
            self.pause_writing()
        # uvicorn declares its own protocols only, but calls nothing besides `shutdown`.
        self._server_state.connections.add(self)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Pass on the bytes received; uvicorn makes the first call, with the whole request."""
        super().data_received(data)
        if self._application is None:
            connection = cast(_Connection, self._connection)
            if connection.request is not None:
                self._application = _Application(
                    self._config,
                    self._server_state.default_headers,
                    _scope(self._config, self._app_state, connection, self._taken_over),
                    connection,
                )
                self._start(self._application.run())

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on the end of the transport."""
        super().connection_lost(exc)
        self._server_state.connections.discard(self)
        self._application = None

    def shutdown(self) -> None:
        """Close the connection with 1012, or refuse it with 503: the server shuts down."""
        if self._application is not None:
            self._start(self._application.shut_down())

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Start a task that uvicorn waits for before it ends."""
        task = self._event_loop.create_task(coroutine)
        self._server_state.tasks.add(task)
        task.add_done_callback(self._server_state.tasks.discard)


class _Connection(ServerConnection):
    """A connection on a transport that has served HTTP before."""

    def start_closing(self, code: int, reason: str = "") -> None:
        """Start to close, unless the connection is closing or closed; do not wait.

        Raises:
            ProtocolError: if the code must not be sent, or the reason is too long.
        """
        if self.state is OPEN:
            self._start_closing(code, reason)


class _Application:
    """An ASGI application that serves one connection, and the events in both directions.

    Args:
        config: uvicorn's configuration.
        default_headers: headers of every response.
        scope: ASGI scope of the connection.
        connection: the connection; it has received its request.
    """

    def __init__(
        self,
        config: Config,
        default_headers: RawHeaders,
        scope: Any,
        connection: _Connection,
    ) -> None:
        self._app = config.loaded_app
        self._default_headers = _decoded(default_headers)
        self._connection = connection
        self._scope = scope
        self._logger = logging.getLogger("uvicorn.error")
        self._connect_received = False
        self._upgrade: Response
        self._denial: Response
        # Handlers of the events that the application may send now.
        self._steps = _UNANSWERED

    async def run(self) -> None:
        """Run the application; refuse a request that is not a valid opening handshake."""
        connection = self._connection
        if connection.state is CLOSED:
            return  # the client has gone already
        assert connection.request is not None
        response = connection.protocol.accept(connection.request)
        if response.status_code != 101:
            await self._answer(response)
            return
        self._upgrade = response
        code = CloseCode.NORMAL_CLOSURE
        try:
            result = await self._app(self._scope, self._receive, self._send)
            if result is not None:
                self._logger.error("ASGI callable should return None, but returned %r.", result)
        except ClientDisconnected:
            pass
        except asyncio.CancelledError:
            connection.go_away()
            raise
        except Exception:
            self._logger.exception("Exception in ASGI application\n")
            code = CloseCode.INTERNAL_ERROR
        else:
            if not self._answered():
                self._logger.error("ASGI callable returned without completing handshake.")
        if self._answered():
            connection.start_closing(code)
        else:
            await self._answer(connection.respond(500, "Internal Server Error"))

    async def shut_down(self) -> None:
        """Close the connection for a shutdown; refuse it if it is not open yet."""
        if not self._answered():
            await self._answer(self._connection.respond(503, "Server is shutting down.\n"))
        self._connection.start_closing(CloseCode.SERVICE_RESTART)

    # Events to the application ----------------------------------------------------------

    async def _receive(self) -> Event:
        """Return the next event for the application."""
        if not self._connect_received:
            self._connect_received = True
            return {"type": "websocket.connect"}
        connection = self._connection
        try:
            message = await connection.recv()
        except ConnectionClosed:
            return {
                "type": "websocket.disconnect",
                "code": connection.close_code,
                "reason": connection.close_reason,
            }
        return {
            "type": "websocket.receive",
            "text" if isinstance(message, str) else "bytes": message,
        }

    # Events of the application ----------------------------------------------------------

    async def _send(self, event: Event) -> None:
        """Process an event of the application.

        Raises:
            ClientDisconnected: if the connection is closed.
            RuntimeError: if the event is not allowed now.
        """
        step = self._steps.get(event["type"])
        if step is None:
            expected = ", ".join(self._steps) or "none after the end"
            raise RuntimeError(f"Unexpected ASGI message {event['type']!r} (expected: {expected}).")
        try:
            await step(self, event)
        except ConnectionClosed as exc:
            raise ClientDisconnected from exc

    def _answered(self) -> bool:
        """Return True if the response was sent, or the client has gone."""
        connection = self._connection
        return connection.response is not None or connection.state is CLOSED

    async def _answer(self, response: Response) -> None:
        """Send the response.

        Raises:
            ClientDisconnected: if the client has gone, or was refused by :meth:`shut_down`.
        """
        if self._answered():
            raise ClientDisconnected
        await self._connection.handshake(lambda *_: response, server_header=None)

    def _log_answer(self, outcome: str) -> None:
        client, path = get_client_addr(self._scope), get_path_with_query_string(self._scope)
        self._logger.info('%s - "WebSocket %s" %s', client, path, outcome)

    async def _accept(self, event: Event) -> None:
        headers = Headers(self._upgrade.headers)
        headers.pop("Date", None)  # the default headers have it, if it is wanted
        headers.update(self._default_headers)
        headers.update(_decoded(event.get("headers") or ()))
        subprotocol = event.get("subprotocol")
        if subprotocol is not None:
            headers["Sec-WebSocket-Protocol"] = subprotocol
        await self._answer(dataclasses.replace(self._upgrade, headers=headers))
        self._connection.protocol.use_subprotocol(subprotocol)
        self._steps = _ACCEPTED
        self._log_answer("[accepted]")

    async def _refuse(self, event: Event) -> None:
        await self._answer(self._connection.respond(403, ""))
        self._steps = _ENDED
        self._log_answer("403")

    async def _start_denial(self, event: Event) -> None:
        status = int(event["status"])
        if not 200 <= status < 600:
            raise RuntimeError(f"Invalid HTTP status code {status} in response.")
        headers = Headers(_decoded(event.get("headers") or ()))
        self._denial = Response(status, _phrase(status), headers)
        self._steps = _DENYING

    async def _send_denial(self, event: Event) -> None:
        response = self._denial
        response.body += event.get("body", b"")
        if event.get("more_body", False):
            return
        headers = response.headers
        content_headers = [
            ("Connection", "close"),
            ("Content-Length", str(len(response.body))),
            ("Content-Type", "text/plain; charset=utf-8"),
        ]
        for defaults in (self._default_headers, content_headers):
            headers.update([pair for pair in defaults if pair[0] not in headers])
        await self._answer(response)
        self._steps = _ENDED
        self._log_answer(str(response.status_code))

    async def _send_message(self, event: Event) -> None:
        data = event.get("bytes")
        await self._connection.send(event["text"] if data is None else data)

    async def _close(self, event: Event) -> None:
        if self._connection.state is not OPEN:
            raise ClientDisconnected
        code = event.get("code")
        self._connection.start_closing(1000 if code is None else code, event.get("reason") or "")
        self._steps = _ENDED


# An event without an entry is not allowed.
_Steps = Mapping[str, Callable[[_Application, Event], Awaitable[None]]]
_UNANSWERED: _Steps = {
    "websocket.accept": _Application._accept,
    "websocket.close": _Application._refuse,
    "websocket.http.response.start": _Application._start_denial,
}
_DENYING: _Steps = {"websocket.http.response.body": _Application._send_denial}
_ACCEPTED: _Steps = {
    "websocket.send": _Application._send_message,
    "websocket.close": _Application._close,
}
_ENDED: _Steps = {}


def _scope(
    config: Config,
    app_state: dict[str, Any],
    connection: _Connection,
    transport: asyncio.Transport,
) -> Any:
    """Return the ASGI scope of a connection."""
    request = connection.request
    assert request is not None
    path, _, query = request.path.partition("?")
    return {
        "type": "websocket",
        "asgi": {"version": config.asgi_version, "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "wss" if is_ssl(transport) else "ws",
        "server": get_local_addr(transport),
        "client": get_remote_addr(transport),
        "root_path": config.root_path,
        "path": config.root_path + unquote(path),
        "raw_path": (config.root_path + path).encode("ascii"),
        "query_string": query.encode("ascii"),
        "headers": [
            (name.lower().encode("ascii"), value.encode("latin-1"))
            for name, value in request.headers.raw_items()
        ],
        "subprotocols": [
            token.strip()
            for value in request.headers.get_all("Sec-WebSocket-Protocol")
            for token in value.split(",")
        ],
        "state": app_state.copy(),
        "extensions": {"websocket.http.response": {}},
    }


def _decoded(headers: Any) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _phrase(status: int) -> str:
    """Return the reason phrase of a status; empty for a status that has none."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""
