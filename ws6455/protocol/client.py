"""Client's side of a connection without I/O, opening handshake included.

RFC 6455 §4.1. Send the request that :meth:`ClientProtocol.connect` returns, and feed bytes until
the state is OPEN or `handshake_exc` is set.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..exceptions import InvalidHandshake, InvalidMessage, InvalidStatus
from ..framing.deflate import PerMessageDeflate
from ..http1.body import MAX_BODY_SIZE, BodyReader
from ..http1.head import Request, Response
from ..http1.headers import Headers
from ..http1.response_reader import ResponseReader
from ..http1.uri import WebSocketURI
from ..typing import LoggerLike
from .deflate_negotiation import ClientPerMessageDeflateFactory
from .handshake import (
    build_request,
    check_extensions,
    check_response,
    check_subprotocol,
    generate_key,
)
from .opening import OpeningProtocol
from .protocol import MAX_FRAGMENTS, MAX_SIZE
from .states import OPEN, Side, State

__all__ = ["ClientProtocol"]


class ClientProtocol(OpeningProtocol):
    """Client's side of a connection, without I/O.

    Args:
        uri: URI of the server, see :func:`ws6455.http1.uri.parse_uri`.
        origin: value of Origin, or None.
        extensions: extensions to offer, preferred first.
        subprotocols: subprotocols to offer, preferred first.
        state, max_size, max_fragments, logger: see :class:`~ws6455.protocol.protocol.Protocol`.
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
        hint = None if uri.secure else "the server speaks TLS on this port: use wss://"
        self._response_reader = ResponseReader(hint)
        super().__init__(
            Side.CLIENT,
            self._response_reader,
            state=state,
            max_size=max_size,
            max_fragments=max_fragments,
            logger=logger,
        )
        self.uri = uri
        self.origin = origin
        self.available_extensions: Sequence[ClientPerMessageDeflateFactory] = extensions or ()
        self.available_subprotocols: Sequence[str] = subprotocols or ()
        self.key: str = generate_key()
        self._http_version = "HTTP/1.1"  # of the response, which has no field for it
        self._body: BodyReader | None = None

    def connect(self) -> Request:
        """Build the request (§4.1); send it with :meth:`send_request`."""
        return build_request(
            self.uri,
            self.key,
            origin=self.origin,
            extensions=self.available_extensions,
            subprotocols=self.available_subprotocols,
        )

    def send_request(self, request: Request) -> None:
        """Send the request; the server may choose one of the subprotocols in its headers."""
        self.request: Request | None = request
        offered = request.headers.get_all("Sec-WebSocket-Protocol")
        if offered:
            self.available_subprotocols = [name.strip() for name in ",".join(offered).split(",")]
        if self.debug:
            self._log_head(">", f"{request.method} {request.path} {request.protocol}", request)
        self.writes.append(request.serialize())

    def _receive_opening(self, data: bytes) -> None:
        if self._body is not None:
            self._receive_body(data)
            return
        if self._head is None:
            return
        try:
            read = self._response_reader.read(data)
            if read is None:
                return
            protocol, response, rest = read
            self._head = None
            self.response: Response | None = response
            if self.debug:
                self._log_head("<", f"{protocol} {response.status_code}", response)
            self._opening_event = response
            self._http_version = protocol
            self.process_response(response)
        except InvalidStatus as exc:
            self._refused(exc, rest)
        except InvalidHandshake as exc:
            self._give_up(exc)
        else:
            self.has_events: bool = True
            self.state = OPEN
            if rest:
                self.receive_data(rest)

    def process_response(self, response: Response) -> None:
        """Check the response, and set the negotiated extension and subprotocol (§4.1).

        Raises:
            InvalidHandshake: if the response does not accept what was offered.
        """
        check_response(response, self._http_version, self.key)
        extensions = self.process_extensions(response.headers)
        self.deflate = extensions[0] if extensions else None
        self.subprotocol: str | None = self.process_subprotocol(response.headers)

    def process_extensions(self, headers: Headers) -> list[PerMessageDeflate]:
        """Check the extensions; see :func:`ws6455.protocol.handshake.check_extensions`.

        Returns:
            The extensions that the server accepted.
        """
        accepted = check_extensions(headers, self.available_extensions)
        return [] if accepted is None else [accepted]

    def process_subprotocol(self, headers: Headers) -> str | None:
        """Check the subprotocol; see :func:`ws6455.protocol.handshake.check_subprotocol`."""
        return check_subprotocol(headers, self.available_subprotocols)

    @property
    def is_reading_body(self) -> bool:
        """True while the body of a refusal is being read."""
        return self._body is not None

    def end_body(self) -> None:
        """Stop reading the body of a refusal; `handshake_exc` has the part received."""
        if self._body is not None:
            assert self.response is not None
            self.response.body = bytes(self._body.body)
            self._give_up(InvalidStatus(self.response))

    def _give_up(self, exc: InvalidHandshake) -> None:
        self.has_events = True
        self._head = None
        self._body = None
        self.handshake_exc: Exception | None = exc
        self._end_sending()

    def _refused(self, exc: InvalidStatus, rest: bytes) -> None:
        """Read the body of a refusal, which may give the reason."""
        assert self.response is not None
        status = self.response.status_code
        if status in (204, 304):  # RFC 9112 §6.3: these have no body
            self._give_up(exc)
            return
        try:
            self._body = BodyReader(self.response.headers)
        except InvalidMessage as unreadable:
            self.response.body = rest[:MAX_BODY_SIZE]
            exc.__cause__ = unreadable
            self._give_up(exc)
            return
        self.has_events = True  # the body may take long, or never end
        self._receive_body(rest)

    def _receive_body(self, data: bytes) -> None:
        assert self._body is not None
        try:
            if self._body.feed(data):
                self.end_body()
        except InvalidMessage:
            self.end_body()  # the part received may still give the reason

    def _receive_opening_eof(self) -> None:
        if self._body is not None:
            self.end_body()  # a body without a length lasts until the end of the stream
        else:
            super()._receive_opening_eof()
