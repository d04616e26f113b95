"""The CONNECTING state, as far as both roles share it: one head to read, one event.

RFC 6455 section 4. Frames that arrive glued to the other side's head are kept.
"""

from __future__ import annotations

from typing import Any

from ..exceptions import (
    InvalidMessage,
    NotHTTP,
)
from ..http1.head import HeadReader, Request, Response
from .protocol import Event, Protocol
from .states import Side

__all__ = ["OpeningProtocol"]

_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie"})


class OpeningProtocol(Protocol):
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
