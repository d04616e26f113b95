"""Base of both roles' protocols: reading the peer's head while CONNECTING.

RFC 6455 §4. Bytes after the head are kept: they may be frames.
"""

from __future__ import annotations

from typing import Any

from ..exceptions import InvalidMessage, NotHTTP
from ..http1.head import HeadReader, Request, Response
from ..http1.headers import SECRET_HEADERS
from .protocol import Event, Protocol
from .states import Side

__all__ = ["OpeningProtocol"]


class OpeningProtocol(Protocol):
    """Protocol that starts with the peer's head, which becomes one event.

    Args:
        side: client or server.
        head: reads the head.
        options: see :class:`~ws6455.protocol.protocol.Protocol`.
    """

    __slots__ = ("_head", "_opening_event")

    def __init__(self, side: Side, head: HeadReader, **options: Any) -> None:
        super().__init__(side, **options)
        self._head: HeadReader | None = head  # None once it was read
        self._opening_event: Request | Response | None = None  # not taken yet

    def events_received(self) -> list[Event]:
        """Return, once, what was received; the request or response comes first."""
        event, self._opening_event = self._opening_event, None
        events = super().events_received()
        return events if event is None else [event, *events]

    def drop_handshake_exc(self) -> None:
        """Forget why the opening handshake failed, once the exception has been raised.

        Its traceback refers to the connection: keeping it here would make a reference cycle.
        """
        self.handshake_exc = None

    def _feed_head(self, head: HeadReader, data: bytes) -> bytes | None:
        """Feed the head reader; return the bytes after the head, or None until it is complete.

        Raises:
            InvalidHandshake: if the head exceeds a limit, or its first line is not HTTP. A peer
                that speaks another protocol may wait for an answer before it sends more.
        """
        rest = head.feed(data)
        if rest is None and head.lines and b"HTTP/" not in head.lines[0]:
            raise NotHTTP(f"not a line of HTTP: {head.lines[0][:80]!r}")
        return rest

    def _receive_opening_eof(self) -> None:
        if self.handshake_exc is None:
            exc = InvalidMessage("connection closed before the end of the opening handshake")
            read = "the head" if self._head is None else f"{len(self._head)} bytes of the head"
            exc.__cause__ = EOFError(f"stream ends after {read}")
            self.handshake_exc: Exception | None = exc

    def _log_head(self, direction: str, start_line: str, message: Request | Response) -> None:
        self.logger.debug("%s %s", direction, start_line)
        for name, value in message.headers.raw_items():
            shown = "[hidden]" if name.lower() in SECRET_HEADERS else ascii(value)[1:-1]
            self.logger.debug("%s %s: %s", direction, name, shown)
