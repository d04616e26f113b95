"""Server's side of a connection without I/O, opening handshake included.

RFC 6455 §4.2. Feed bytes until :meth:`Protocol.events_received` returns a Request, build the
response with :meth:`ServerProtocol.accept` and send it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from ..exceptions import (
    InvalidHandshake,
    InvalidState,
    InvalidStatus,
    NegotiationError,
    NotHTTP,
    RequestLineTooLong,
)
from ..framing.deflate import PerMessageDeflate
from ..http1.body import NO_CONTENT, BodyWriter
from ..http1.head import Request, RequestHeadReader, Response, parse_request
from ..http1.headers import Headers
from ..typing import ExtensionHeader, LoggerLike
from .deflate_negotiation import ServerPerMessageDeflateFactory
from .handshake import (
    Origins,
    answer_extensions,
    answer_subprotocol,
    build_refusal,
    build_response,
    check_origin,
    check_request,
)
from .opening import OpeningProtocol
from .protocol import MAX_FRAGMENTS, MAX_SIZE
from .states import OPEN, Side, State

__all__ = ["ServerProtocol"]


class ServerProtocol(OpeningProtocol):
    """Server's side of a connection, without I/O.

    Args:
        origins: allowed values of Origin, see :func:`ws6455.protocol.handshake.check_origin`.
        extensions: extensions to accept.
        subprotocols: subprotocols supported, preferred first.
        select_subprotocol: ``(protocol, offered) -> chosen or None``; may raise
            :exc:`~ws6455.exceptions.NegotiationError`; the default is described at
            :meth:`select_subprotocol`.
        date: returns the value of Date for a response without one (RFC 9110 §6.6.1); None
            sends no Date.
        state, max_size, max_fragments, logger: see :class:`~ws6455.protocol.protocol.Protocol`.
    """

    __slots__ = (
        "__dict__",
        "_body",
        "_date",
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
        date: Callable[[], str] | None = None,
        state: State = State.CONNECTING,
        max_size: int | tuple[int | None, int | None] | None = MAX_SIZE,
        max_fragments: int | None = MAX_FRAGMENTS,
        logger: LoggerLike | None = None,
    ) -> None:
        super().__init__(
            Side.SERVER,
            RequestHeadReader(RequestLineTooLong),
            state=state,
            max_size=max_size,
            max_fragments=max_fragments,
            logger=logger,
        )
        self.origins: Origins | None = origins
        self.available_extensions: Sequence[ServerPerMessageDeflateFactory] = extensions or ()
        self.available_subprotocols: Sequence[str] | None = subprotocols
        self.origin: str | None = None
        self._select_subprotocol = select_subprotocol
        self._date = date
        self._body: BodyWriter | None = None  # of a refusal that is sent piece by piece
        # Bytes received after the request and before its response.
        self._early: bytes | bytearray = b""

    def _receive_opening(self, data: bytes) -> None:
        if self._head is None:
            if self.response is None:
                if not isinstance(self._early, bytearray):
                    self._early = bytearray(self._early)  # bytes would be copied by each addition
                self._early += data
                self.has_events: bool = True
            return
        try:
            rest = self._feed_head(self._head, data)
            if rest is None:
                return
            request = parse_request(self._head.lines)
        except InvalidHandshake as exc:
            self._head = None
            self.handshake_exc: Exception | None = exc
            self.has_events = True
            if isinstance(exc, NotHTTP):
                self._end_sending()  # the peer would not understand a response
            else:
                self.send_response(build_refusal(exc))
            return
        self._head = None
        self._early = rest
        self.request: Request | None = request
        if self.debug:
            self._log_head("<", f"{request.method} {request.path} {request.protocol}", request)
        self._opening_event = request
        self.has_events = True

    @property
    def has_early_data(self) -> bool:
        """True if bytes received after the request wait until the response is sent."""
        return bool(self._early)

    def accept(self, request: Request) -> Response:
        """Build the response to a request: 101, or a refusal (§4.2.2).

        The reason for a refusal is in `handshake_exc`. Send the response with
        :meth:`send_response`.
        """
        try:
            key, extension, self.subprotocol = self.process_request(request)
        except InvalidHandshake as exc:
            self.handshake_exc = exc
            return build_refusal(exc)
        except Exception as exc:
            self.logger.error("opening handshake failed", exc_info=exc)
            return self.reject_error(exc)
        date = None if self._date is None else self._date()
        return build_response(key, extension, self.subprotocol, date)

    def process_request(self, request: Request) -> tuple[str, ExtensionHeader | None, str | None]:
        """Check a request and negotiate; see :meth:`accept`.

        Returns:
            Its Sec-WebSocket-Key, the answer to its extensions, and the subprotocol.

        Raises:
            InvalidHandshake: if the request is refused.
        """
        key = check_request(request)
        self.origin = self.process_origin(request.headers)
        extension, accepted = self.process_extensions(request.headers)
        if accepted:
            self.deflate = accepted[0]
        return key, extension, self.process_subprotocol(request.headers)

    def process_origin(self, headers: Headers) -> str | None:
        """Check Origin; see :func:`ws6455.protocol.handshake.check_origin`."""
        return check_origin(headers, self.origins)

    def process_extensions(
        self, headers: Headers
    ) -> tuple[ExtensionHeader | None, list[PerMessageDeflate]]:
        """Choose among the extensions offered; see :func:`.answer_extensions`.

        Returns:
            The answer, and the extensions accepted.
        """
        answered = answer_extensions(headers, self.available_extensions)
        return (None, []) if answered is None else (answered[0], [answered[1]])

    def process_subprotocol(self, headers: Headers) -> str | None:
        """Choose the subprotocol; see :func:`ws6455.protocol.handshake.answer_subprotocol`."""
        return answer_subprotocol(headers, self.select_subprotocol)

    def select_subprotocol(self, subprotocols: Sequence[str]) -> str | None:
        """Choose the first of the server's subprotocols that the client offers.

        Args:
            subprotocols: subprotocols offered, in the client's order of preference.

        Raises:
            NegotiationError: if the server has subprotocols and the client offers none.
        """
        if self._select_subprotocol is not None:
            return self._select_subprotocol(self, subprotocols)
        if not self.available_subprotocols:
            return None
        if not subprotocols:
            raise NegotiationError("missing subprotocol")
        return next((s for s in self.available_subprotocols if s in subprotocols), None)

    def use_subprotocol(self, subprotocol: str | None) -> None:
        """Set the subprotocol of a response that :meth:`accept` did not build."""
        self.subprotocol = subprotocol

    def reject(self, status: int, text: str) -> Response:
        """Build a plain-text response that refuses the connection.

        Args:
            status: an HTTP status.
            text: the body.
        """
        return Response.text(status, text)

    def reject_error(self, exc: Exception) -> Response:
        """Build the response for an internal error: 500.

        Args:
            exc: the error, kept in `handshake_exc`; its traceback is cleared, so log it before.
        """
        exc.__traceback__ = None  # its frames refer to the connection
        self.handshake_exc = exc
        text = "Failed to open a WebSocket connection.\nSee server log for more information.\n"
        return self.reject(500, text)

    def send_response(self, response: Response, more_body: bool = False) -> None:
        """Send the response; status 101 opens the connection, any other ends it.

        After a refusal, bytes from the client are not read as frames.

        Args:
            response: the response.
            more_body: whether :meth:`send_body` continues the body of this refusal. Such a body
                without Content-Length has the chunked transfer coding (RFC 9112 §7.1).

        Raises:
            InvalidMessage: if the reason phrase has invalid characters, or the body that follows
                an invalid Content-Length; nothing is sent.
        """
        if response.status_code == 101:
            serialized = response.serialize(body=False)
        else:
            response = self._complete_refusal(response, more_body)
            serialized = self._serialize_refusal(response, more_body)
        self.response: Response | None = response
        if self.debug:
            status_line = f"HTTP/1.1 {response.status_code} {response.reason_phrase}"
            self._log_head(">", status_line, response)
        self.writes.append(serialized)
        early, self._early = bytes(self._early), b""
        if response.status_code != 101:
            if not more_body:
                self.end_response()
            return
        self.handshake_exc = None
        self.state = OPEN
        if early:
            self.receive_data(early)

    def send_body(self, data: bytes, more_body: bool = False) -> None:
        """Send a piece of the body of a refusal that was begun with `more_body`.

        Args:
            data: the piece; dropped if the response has no body (RFC 9110 §6.4.1).
            more_body: whether more pieces follow.

        Raises:
            InvalidState: if no such response was begun, or it has ended.
            InvalidMessage: if the body is longer than its Content-Length, or ends before it;
                nothing of the piece is sent.
        """
        body = self._body
        if body is None or body.has_ended or self.handshake_exc is not None:
            raise InvalidState("no response waits for more of its body")
        self.writes.extend(body.frame(data, more_body))
        if not more_body:
            self.end_response()

    def end_response(self) -> None:
        """End the connection after a refusal; its body stays incomplete if it is not at its end.

        Raises:
            InvalidState: if no refusal was sent.
        """
        if self.response is None or self.response.status_code == 101:
            raise InvalidState("no refusal was sent")
        if self.handshake_exc is None:
            self.handshake_exc = InvalidStatus(self.response)
        self._end_sending()

    def _complete_refusal(self, response: Response, more_body: bool) -> Response:
        """Add Date; drop what the status does not allow (RFC 9110 §6.6.1, §8.6, §15.3.6).

        Returns:
            The response, or a changed copy: an application may send a response many times.
            A copy in any case if more of the body follows, which changes the headers.
        """
        status = response.status_code
        dated = self._date is None or "Date" in response.headers
        if dated and status not in NO_CONTENT and not more_body:
            return response
        headers = response.headers.copy()
        if not dated and self._date is not None:
            headers["Date"] = self._date()
        if status not in NO_CONTENT:
            return dataclasses.replace(response, headers=headers)
        if status != 304:  # this one may announce the length of another response
            headers.pop("Content-Length", None)
            headers.pop("Transfer-Encoding", None)
        if status == 205:
            headers["Content-Length"] = "0"
        return dataclasses.replace(response, headers=headers, body=b"")

    def _serialize_refusal(self, response: Response, more_body: bool) -> bytes:
        """Return the bytes of a refusal, or of its head and the first piece of its body."""
        # RFC 9110 §9.3.2: the response to HEAD has no body.
        head_only = self.request is not None and self.request.method == "HEAD"
        if not more_body:
            return response.serialize(body=not head_only)
        body = BodyWriter(response.headers, head_only or response.status_code in NO_CONTENT)
        pieces = body.frame(response.body, more_body)
        serialized = b"".join([response.serialize(body=False), *pieces])
        self._body = body
        return serialized
