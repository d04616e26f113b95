"""The two roles' sides of the CONNECTING state: from the first byte to an open connection.

RFC 6455 §4.1 (client), §4.2 (server).

A server feeds bytes until :meth:`Protocol.events_received` gives a Request, asks
:meth:`ServerProtocol.accept` for the response and sends it. A client sends the request of
:meth:`ClientProtocol.connect` and feeds bytes until the state is OPEN, or `handshake_exc` says
why it is not. Frames that come glued to the other side's head are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .compression import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory
from .exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    NegotiationError,
    NotHTTP,
    RequestLineTooLong,
    StatusLineTooLong,
)
from .framing.deflate import PerMessageDeflate
from .handshake import (
    Origins,
    answer_extensions,
    answer_subprotocol,
    build_refusal,
    build_request,
    build_response,
    check_extensions,
    check_origin,
    check_request,
    check_response,
    check_subprotocol,
    generate_key,
)
from .http1.body import BodyReader
from .http1.head import HeadReader, Request, Response, parse_request, parse_response
from .http1.headers import Headers
from .http1.uri import WebSocketURI
from .protocol import MAX_FRAGMENTS, MAX_SIZE, Event, Protocol, Side
from .states import OPEN, State
from .typing import ExtensionHeader, LoggerLike

__all__ = ["ClientProtocol", "ServerProtocol"]

_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie"})


class _OpeningProtocol(Protocol):
    """What the roles share while CONNECTING: one head to read, and when it is read an event."""

    __slots__ = ("_head", "_opening_event")

    def __init__(self, side: Side, head: HeadReader, **options: Any) -> None:
        super().__init__(side, **options)
        self._head: HeadReader | None = head
        self._opening_event: Request | Response | None = None  # not given yet

    def events_received(self) -> list[Event]:
        """Return, once, what was received; the request or response is the first."""
        event, self._opening_event = self._opening_event, None
        events = super().events_received()
        return events if event is None else [event, *events]

    def _feed_head(self, head: HeadReader, data: bytes) -> bytes | None:
        """Take more of the head; return what follows it once it is whole, else None.

        Raises:
            InvalidHandshake: if it breaks a limit, or its first line shows that it is no HTTP:
                whoever speaks something else may wait for an answer before the next line.
        """
        rest = head.feed(data)
        if rest is None and head.lines and b"HTTP/" not in head.lines[0]:
            raise NotHTTP(f"not a line of HTTP: {head.lines[0][:80]!r}")
        return rest

    def _handshake_broke_off(self) -> None:
        if self.handshake_exc is None:
            exc = InvalidMessage("connection closed before the end of the opening handshake")
            read = "the head" if self._head is None else f"{len(self._head)} bytes of the head"
            exc.__cause__ = EOFError(f"stream ends after {read}")
            self.handshake_exc = exc

    def _log_head(self, direction: str, start_line: str, message: Request | Response) -> None:
        if not self.debug:
            return
        self.logger.debug("%s %s", direction, start_line)
        for name, value in message.headers.raw_items():
            shown = "[hidden]" if name.lower() in _SECRET_HEADERS else ascii(value)[1:-1]
            self.logger.debug("%s %s: %s", direction, name, shown)


class ServerProtocol(_OpeningProtocol):
    """The server's end of a connection, without I/O.

    Args:
        origins: allowed values of Origin, see :func:`ws6455.handshake.check_origin`.
        extensions: what to accept of the extensions a client offers.
        subprotocols: those supported, preferred first.
        select_subprotocol: ``(protocol, offered) -> chosen or None``; may raise
            :exc:`~ws6455.exceptions.NegotiationError`; by default see :meth:`select_subprotocol`.
        state, max_size, max_fragments, logger: see :class:`~ws6455.protocol.Protocol`.
    """

    __slots__ = (
        "__dict__",
        "_early",
        "_select_subprotocol",
        "available_extensions",
        "available_subprotocols",
        "origin",
        "origins",
    )

    def __init__(
        self,
        *,
        origins: Origins | None = None,
        extensions: Sequence[ServerPerMessageDeflateFactory] | None = None,
        subprotocols: Sequence[str] | None = None,
        select_subprotocol: Callable[[ServerProtocol, Sequence[str]], str | None] | None = None,
        state: State = State.CONNECTING,
        max_size: int | tuple[int | None, int | None] | None = MAX_SIZE,
        max_fragments: int | None = MAX_FRAGMENTS,
        logger: LoggerLike | None = None,
    ) -> None:
        super().__init__(
            Side.SERVER,
            HeadReader(RequestLineTooLong),
            state=state,
            max_size=max_size,
            max_fragments=max_fragments,
            logger=logger,
        )
        self.origins = origins
        self.available_extensions = extensions or ()
        self.available_subprotocols = subprotocols
        self.origin: str | None = None
        self._select_subprotocol = select_subprotocol
        self._early = bytearray()  # what comes after the request, before its response

    def _receive_opening(self, data: bytes) -> None:
        if self._head is None:
            if self.response is None:
                self._early += data
                self.attention = True
            return
        try:
            rest = self._feed_head(self._head, data)
            if rest is None:
                return
            request = parse_request(self._head.lines)
        except InvalidHandshake as exc:
            self._head = None
            self.handshake_exc = exc
            self.attention = True
            if isinstance(exc, NotHTTP):
                self._end_sending()  # it would not understand an answer
            else:
                self.send_response(build_refusal(exc))
            return
        self._head = None
        self._early += rest
        self.request = request
        self._log_head("<", f"{request.method} {request.path} {request.protocol}", request)
        self._opening_event = request
        self.attention = True

    @property
    def has_early_data(self) -> bool:
        """Whether bytes came after the request that wait for its response."""
        return bool(self._early)

    def accept(self, request: Request) -> Response:
        """Make the response to a request: 101, or the refusal that fits (§4.2.2).

        A refusal's reason is in `handshake_exc`. Send the response with :meth:`send_response`.
        """
        try:
            key, extension, self.subprotocol = self.process_request(request)
        except InvalidHandshake as exc:
            self.handshake_exc = exc
            return build_refusal(exc)
        except Exception as exc:
            self.handshake_exc = exc
            self.logger.error("opening handshake failed", exc_info=exc)
            return Response.text(
                500,
                "Failed to open a WebSocket connection.\nSee server log for more information.\n",
            )
        return build_response(key, extension, self.subprotocol)

    def process_request(self, request: Request) -> tuple[str, ExtensionHeader | None, str | None]:
        """Check a request and choose from what it offers; see :meth:`accept`.

        Returns:
            Its Sec-WebSocket-Key, the answer to its extensions, and the subprotocol.

        Raises:
            InvalidHandshake: the kind that fits.
        """
        key = check_request(request)
        self.origin = self.process_origin(request.headers)
        extension, accepted = self.process_extensions(request.headers)
        self.deflate = accepted[0] if accepted else None
        return key, extension, self.process_subprotocol(request.headers)

    def process_origin(self, headers: Headers) -> str | None:
        """Check Origin; see :func:`ws6455.handshake.check_origin`."""
        return check_origin(headers, self.origins)

    def process_extensions(
        self, headers: Headers
    ) -> tuple[ExtensionHeader | None, list[PerMessageDeflate]]:
        """Choose from the extensions offered; see :func:`ws6455.handshake.answer_extensions`.

        Returns:
            The answer, and what it switches on.
        """
        answered = answer_extensions(headers, self.available_extensions)
        return (None, []) if answered is None else (answered[0], [answered[1]])

    def process_subprotocol(self, headers: Headers) -> str | None:
        """Choose the subprotocol; see :func:`ws6455.handshake.answer_subprotocol`."""
        return answer_subprotocol(headers, self.select_subprotocol)

    def select_subprotocol(self, subprotocols: Sequence[str]) -> str | None:
        """Choose among the subprotocols offered: the first of this server's that is there.

        Args:
            subprotocols: those offered, the client's preferred first.

        Raises:
            NegotiationError: if this server has subprotocols and the client offers none.
        """
        if self._select_subprotocol is not None:
            return self._select_subprotocol(self, subprotocols)
        if not self.available_subprotocols:
            return None
        if not subprotocols:
            raise NegotiationError("missing subprotocol")
        return next((s for s in self.available_subprotocols if s in subprotocols), None)

    def reject(self, status: int, text: str) -> Response:
        """Make a plain-text response that refuses the connection.

        Args:
            status: an HTTP status.
            text: the body.
        """
        return Response.text(status, text)

    def send_response(self, response: Response) -> None:
        """Send the response; 101 opens the connection, any other ends it.

        After a refusal nothing that the client has sent, or sends, is read as frames.

        Raises:
            InvalidMessage: if the reason phrase would split the head; nothing is sent.
        """
        # RFC 9110 §9.3.2: the answer to HEAD has no body.
        head_only = self.request is not None and self.request.method == "HEAD"
        serialized = response.serialize(body=not head_only)
        self.response = response
        self._log_head(">", f"HTTP/1.1 {response.status_code} {response.reason_phrase}", response)
        self.writes.append(serialized)
        early, self._early = bytes(self._early), bytearray()
        if response.status_code != 101:
            if self.handshake_exc is None:
                self.handshake_exc = InvalidStatus(response)
            self._end_sending()
            return
        self.handshake_exc = None
        self.state = OPEN
        if early:
            self.receive_data(early)

    def _write_pongs(self) -> None:
        """Answer the pings received: pongs overtake what is queued, but not the response."""
        # No frame begins with this: it would be half of a Close.
        responding = bool(self.writes) and self.writes[0].startswith(b"HTTP/")
        head = [self.writes.pop(0)] if responding else []
        super()._write_pongs()
        self.writes[:0] = head


class ClientProtocol(_OpeningProtocol):
    """The client's end of a connection, without I/O.

    Args:
        uri: where to, see :func:`ws6455.http1.uri.parse_uri`.
        origin: the value of Origin.
        extensions: what to offer, preferred first.
        subprotocols: what to offer, preferred first.
        state, max_size, max_fragments, logger: see :class:`~ws6455.protocol.Protocol`.
    """

    def __init__(
        self,
        uri: WebSocketURI,
        *,
        origin: str | None = None,
        extensions: Sequence[ClientPerMessageDeflateFactory] | None = None,
        subprotocols: Sequence[str] | None = None,
        state: State = State.CONNECTING,
        max_size: int | tuple[int | None, int | None] | None = MAX_SIZE,
        max_fragments: int | None = MAX_FRAGMENTS,
        logger: LoggerLike | None = None,
    ) -> None:
        super().__init__(
            Side.CLIENT,
            HeadReader(StatusLineTooLong),
            state=state,
            max_size=max_size,
            max_fragments=max_fragments,
            logger=logger,
        )
        self.uri = uri
        self.origin = origin
        self.available_extensions = extensions or ()
        self.available_subprotocols = subprotocols or ()
        self.key = generate_key()
        self._http_version = "HTTP/1.1"  # of the response, which does not hold it
        self._body: BodyReader | None = None

    def connect(self) -> Request:
        """Make the request (§4.1); send it with :meth:`send_request`."""
        return build_request(
            self.uri,
            self.key,
            origin=self.origin,
            extensions=self.available_extensions,
            subprotocols=self.available_subprotocols,
        )

    def send_request(self, request: Request) -> None:
        """Send the request."""
        self.request = request
        self._log_head(">", f"{request.method} {request.path} {request.protocol}", request)
        self.writes.append(request.serialize())

    def _receive_opening(self, data: bytes) -> None:
        if self._body is not None:
            self._receive_body(data)
            return
        if self._head is None:
            return
        try:
            rest = self._feed_head(self._head, data)
            if rest is None:
                return
            protocol, response = parse_response(self._head.lines)
            self._head = None
            self.response = response
            self._log_head("<", f"{protocol} {response.status_code}", response)
            self._opening_event = response
            self._http_version = protocol
            self.process_response(response)
        except InvalidStatus as exc:
            self._refused(exc, rest or b"")
        except InvalidHandshake as exc:
            self._give_up(exc)
        else:
            self.attention = True
            self.state = OPEN
            if rest:
                self.receive_data(rest)

    def process_response(self, response: Response) -> None:
        """Check that the response accepts the connection, on terms that were offered (§4.1).

        Raises:
            InvalidHandshake: the kind that fits.
        """
        check_response(response, self._http_version, self.key)
        extensions = self.process_extensions(response.headers)
        self.deflate = extensions[0] if extensions else None
        self.subprotocol = self.process_subprotocol(response.headers)

    def process_extensions(self, headers: Headers) -> list[PerMessageDeflate]:
        """Check the extensions; see :func:`ws6455.handshake.check_extensions`.

        Returns:
            What the answer switches on.
        """
        accepted = check_extensions(headers, self.available_extensions)
        return [] if accepted is None else [accepted]

    def process_subprotocol(self, headers: Headers) -> str | None:
        """Check the subprotocol; see :func:`ws6455.handshake.check_subprotocol`."""
        return check_subprotocol(headers, self.available_subprotocols)

    def _give_up(self, exc: InvalidHandshake) -> None:
        self.attention = True
        self._head = None
        self._body = None
        self.handshake_exc = exc
        self._end_sending()

    def _refused(self, exc: InvalidStatus, rest: bytes) -> None:
        """Read the body, which may say why."""
        assert self.response is not None
        status = self.response.status_code
        if status < 200 or status in (204, 304):  # RFC 9112 §6.3: these have none
            self._give_up(exc)
            return
        try:
            self._body = BodyReader(self.response.headers)
        except InvalidMessage as unreadable:
            exc.__cause__ = unreadable
            self._give_up(exc)
            return
        self._receive_body(rest)

    def _receive_body(self, data: bytes) -> None:
        assert self._body is not None
        try:
            if self._body.feed(data):
                self._end_body()
        except InvalidMessage:
            self._end_body()  # what came of it may still say why

    def _end_body(self) -> None:
        assert self._body is not None
        assert self.response is not None
        self.response.body = bytes(self._body.body)
        self._give_up(InvalidStatus(self.response))

    def _handshake_broke_off(self) -> None:
        if self._body is not None:
            self._end_body()  # a body without a length lasts until the end of the stream
        else:
            super()._handshake_broke_off()
