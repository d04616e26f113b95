"""Server's side of a connection without I/O, opening handshake included.

RFC 6455 §4.2. Feed bytes until :meth:`Protocol.events_received` returns a Request, build the
response with :meth:`ServerProtocol.accept` and send it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from ..exceptions import (
    InvalidHandshake,
    InvalidStatus,
    NegotiationError,
    NotHTTP,
    RequestLineTooLong,
)
from ..framing.deflate import PerMessageDeflate
from ..http1.head import HeadReader, Request, Response, parse_request
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
            HeadReader(RequestLineTooLong),
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

    def send_response(self, response: Response) -> None:
        """Send the response; status 101 opens the connection, any other ends it.

        After a refusal, bytes from the client are not read as frames.

        Raises:
            InvalidMessage: if the reason phrase has invalid characters; nothing is sent.
        """
        # RFC 9110 §9.3.2: the response to HEAD has no body.
        head_only = self.request is not None and self.request.method == "HEAD"
        # RFC 9110 §6.6.1: a response has a Date, unless its status is 1xx.
        if (
            self._date is not None
            and response.status_code != 101
            and "Date" not in response.headers
        ):
            # In a copy: the application may send a response many times.
            dated = response.headers.copy()
            dated["Date"] = self._date()
            response = dataclasses.replace(response, headers=dated)
        serialized = response.serialize(body=not head_only)
        self.response: Response | None = response
        if self.debug:
            status_line = f"HTTP/1.1 {response.status_code} {response.reason_phrase}"
            self._log_head(">", status_line, response)
        self.writes.append(serialized)
        early, self._early = bytes(self._early), b""
        if response.status_code != 101:
            if self.handshake_exc is None:
                self.handshake_exc = InvalidStatus(response)
            self._end_sending()
            return
        self.handshake_exc = None
        self.state = OPEN
        if early:
            self.receive_data(early)
