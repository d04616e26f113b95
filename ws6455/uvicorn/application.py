"""ASGI application that serves one connection: its scope, and the events in both directions.

The ASGI specification, "WebSocket" and "WebSocket Denial Response".
"""

from __future__ import annotations

import asyncio
import dataclasses
import http
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from uvicorn.protocols.utils import (
    ClientDisconnected,
    get_client_addr,
    get_local_addr,
    get_path_with_query_string,
    get_remote_addr,
    is_ssl,
)

from ..exceptions import ConnectionClosed
from ..framing.frames import CloseCode, truncate_reason
from ..http1.body import NO_CONTENT, content_length
from ..http1.head import Response
from ..http1.headers import Headers
from ..protocol.states import CLOSED, OPEN
from .connection import ASGIConnection

if TYPE_CHECKING:
    from uvicorn.config import Config

__all__ = ["Application", "connection_scope"]

Event = MutableMapping[str, Any]
RawHeaders = list[tuple[bytes, bytes]]

# Headers of the response that the opening handshake sets itself, and those of a body.
_HANDSHAKE_HEADERS = frozenset(
    {
        *("connection", "upgrade", "content-length", "transfer-encoding"),
        *("sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-protocol"),
    }
)


class Application:
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
        connection: ASGIConnection,
    ) -> None:
        self._app = config.loaded_app
        self._default_headers = _decoded(default_headers)
        self._connection = connection
        self._scope = scope
        self._logger = logging.getLogger("uvicorn.error")
        self._connect_received = False
        self._is_shut_down = False
        self._upgrade: Response
        self._denial: Response
        # Handlers of the events that the application may send now.
        self._steps = _UNANSWERED

    async def run(self) -> None:
        """Run the application; refuse a request that is not a valid opening handshake."""
        connection = self._connection
        if self._is_answered():
            return  # the client has gone already, or the server shuts down
        assert connection.request is not None
        response = connection.protocol.accept(connection.request)
        if response.status_code != 101:
            connection.answer(response)
            return
        self._upgrade = response
        code = CloseCode.NORMAL_CLOSURE
        try:
            result = await self._app(self._scope, self._receive, self._send)
        except asyncio.CancelledError:
            connection.go_away()
            raise
        except (Exception, SystemExit, KeyboardInterrupt) as exc:
            code = CloseCode.INTERNAL_ERROR
            if not _is_disconnection(exc):
                self._logger.exception("Exception in ASGI application\n")
        else:
            if result is not None:
                code = CloseCode.INTERNAL_ERROR
                self._logger.error("ASGI callable should return None, but returned %r.", result)
            self._log_missing_answer()
        self._end(code)

    def _log_missing_answer(self) -> None:
        """Log that the application has returned without an answer, or before the end of one."""
        if self._steps is _UNANSWERED and not self._is_answered():
            self._logger.error("ASGI callable returned without completing handshake.")
        elif self._steps is _DENYING and not self._has_gone():
            self._logger.error("ASGI callable returned without completing response.")

    def _end(self, code: int) -> None:
        """Close the connection with a code, or complete the response: the application has ended."""
        connection = self._connection
        if self._steps is _DENYING and not self._has_gone():
            if connection.response is None:
                self._begin_denial(0)
            connection.end_refusal()
        elif not self._is_answered():
            connection.answer(connection.respond(500, "Internal Server Error"))
        else:
            connection.start_closing(code)

    def shut_down(self) -> None:
        """Answer a request that has no answer yet, or end the answer: the server shuts down."""
        connection = self._connection
        if not self._is_answered():
            connection.answer(connection.respond(503, "Server is shutting down.\n"))
        elif self._steps is _DENYING and not self._has_gone():
            connection.end_refusal()
        self._is_shut_down = True

    def _is_answered(self) -> bool:
        """Return True if the response was sent, or begun, or the client has gone."""
        connection = self._connection
        return connection.response is not None or connection.state is CLOSED

    def _has_gone(self) -> bool:
        """Return True if nothing can be sent: the client has gone, or the server shuts down."""
        return self._is_shut_down or self._connection.state is CLOSED

    # Events to the application ----------------------------------------------------------

    async def _receive(self) -> Event:
        """Return the next event for the application."""
        if not self._connect_received:
            self._connect_received = True
            return {"type": "websocket.connect"}
        try:
            message = await self._connection.recv()
        except ConnectionClosed:
            return self._disconnect_event()
        return {
            "type": "websocket.receive",
            "text" if isinstance(message, str) else "bytes": message,
        }

    def _disconnect_event(self) -> Event:
        """Return the event of the end, with the reason if there was a Close frame with one.

        As with uvicorn's own protocols, there is no reason for a shutdown.
        """
        close = self._connection.first_close
        if close is None:
            return {"type": "websocket.disconnect", "code": 1006}
        event = {"type": "websocket.disconnect", "code": int(close.code)}
        return event if self._is_shut_down else event | {"reason": close.reason}

    # Events of the application ----------------------------------------------------------

    async def _send(self, event: Event) -> None:
        """Process an event of the application.

        Raises:
            ClientDisconnected: if the client has gone.
            RuntimeError: if the event is not allowed now.
        """
        if self._has_gone():
            raise ClientDisconnected
        step = self._steps.get(event["type"])
        if step is None:
            raise RuntimeError(_unexpected(event["type"], [*self._steps]))
        try:
            await step(self, event)
        except ConnectionClosed as exc:
            raise ClientDisconnected from exc

    def _log_answer(self, outcome: str) -> None:
        client, path = get_client_addr(self._scope), get_path_with_query_string(self._scope)
        self._logger.info('%s - "WebSocket %s" %s', client, path, outcome)

    async def _accept(self, event: Event) -> None:
        headers = Headers(self._upgrade.headers)
        headers.pop("Date", None)  # the default headers have it, if it is wanted
        subprotocol = event.get("subprotocol")
        for name, value in (*self._default_headers, *_decoded(event.get("headers") or ())):
            if name.lower() not in _HANDSHAKE_HEADERS:
                headers[name] = value
            elif name.lower() == "sec-websocket-protocol":
                subprotocol = subprotocol or value
        if subprotocol:
            headers["Sec-WebSocket-Protocol"] = subprotocol
        self._connection.answer(dataclasses.replace(self._upgrade, headers=headers))
        self._connection.protocol.use_subprotocol(subprotocol or None)
        self._steps = _ACCEPTED
        self._log_answer("[accepted]")

    async def _refuse(self, event: Event) -> None:
        self._connection.answer(self._connection.respond(403, ""))
        self._steps = _ENDED
        self._log_answer("403")

    async def _start_denial(self, event: Event) -> None:
        status = int(event["status"])
        if not 200 <= status < 600:
            raise RuntimeError(f"Invalid HTTP status code {status} in response.")
        headers = Headers(_decoded(event.get("headers") or ()))
        content_length(headers)  # raises now if it is invalid
        self._denial = Response(status, _phrase(status), headers)
        self._steps = _DENYING

    async def _send_denial(self, event: Event) -> None:
        body, more_body = bytes(event.get("body") or b""), bool(event.get("more_body"))
        if self._connection.response is None:
            self._begin_denial(None if more_body else len(body))
        self._connection.send_body(body, more_body)
        if not more_body:
            self._steps = _ENDED
        await self._connection.wait_for_room()

    def _begin_denial(self, size: int | None) -> None:
        """Begin the response that refuses the connection.

        Args:
            size: bytes of its body, if it has no Content-Length; None if this is not known.
        """
        status, headers = self._denial.status_code, self._denial.headers
        headers.pop("Connection", None)  # the server decides
        defaults = [*self._default_headers, ("Connection", "close")]
        if status not in NO_CONTENT:
            defaults.append(("Content-Type", "text/plain; charset=utf-8"))
            if size is not None:
                defaults.append(("Content-Length", str(size)))
        headers.update([pair for pair in defaults if pair[0] not in headers])
        self._connection.begin_refusal(self._denial)
        self._log_answer(str(status))

    async def _send_message(self, event: Event) -> None:
        if self._connection.state is not OPEN:
            raise ClientDisconnected
        data = event.get("bytes")
        await self._connection.send(event["text"] if data is None else data)

    async def _close(self, event: Event) -> None:
        if self._connection.state is not OPEN:
            raise ClientDisconnected
        code = event.get("code")
        reason = truncate_reason(event.get("reason") or "")
        self._connection.start_closing(1000 if code is None else code, reason)
        self._steps = _ENDED


# An event without an entry is not allowed.
_Steps = Mapping[str, Callable[[Application, Event], Awaitable[None]]]
_UNANSWERED: _Steps = {
    "websocket.accept": Application._accept,
    "websocket.close": Application._refuse,
    "websocket.http.response.start": Application._start_denial,
}
_DENYING: _Steps = {"websocket.http.response.body": Application._send_denial}
_ACCEPTED: _Steps = {
    "websocket.send": Application._send_message,
    "websocket.close": Application._close,
}
_ENDED: _Steps = {}


def connection_scope(
    config: Config,
    app_state: dict[str, Any],
    connection: ASGIConnection,
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


def _unexpected(event_type: str, expected: list[str]) -> str:
    """Return the error text for an event that is not allowed."""
    if not expected:
        return f"Unexpected ASGI message {event_type!r}, after the end of the connection."
    *most, last = map(repr, expected)
    choice = f"{', '.join(most)} or {last}" if most else last
    return f"Expected ASGI message {choice} but got {event_type!r}."


def _is_disconnection(exc: BaseException) -> bool:
    """Return True for ClientDisconnected, and for a group that contains nothing else."""
    if isinstance(exc, ExceptionGroup):
        return exc.split(ClientDisconnected)[1] is None
    return isinstance(exc, ClientDisconnected)
