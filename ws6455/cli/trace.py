"""Trace of a connection, line by line: the opening handshake, and each frame.

RFC 6455 §4 (the heads) and §5.2 (the frame). The bytes of both directions come from :mod:`.tap`.
They are parsed independently of the connection, so the trace shows what was sent, not what the
library meant to send.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator

from ..exceptions import ProtocolError
from ..framing.deflate import PerMessageDeflate
from ..framing.frames import MAX_HEADER_SIZE, Opcode, parse_header
from .frames import ControlNotes, TracedFrame, inflater
from .heads import Heads
from .printable import one_line

__all__ = ["Trace", "TraceLine"]

_BODY_SHOWN = 60  # bytes


@dataclasses.dataclass(frozen=True, slots=True)
class TraceLine:
    """A line of the trace.

    Attributes:
        connection: the number of the connection, such as ``#3``; "" if there is only one.
        seconds: seconds since the connection was opened.
        arrow: ``>`` for sent, ``<`` for received.
        text: the data on the wire.
        note: its meaning; "" if this is obvious.
    """

    connection: str
    seconds: float
    arrow: str
    text: str
    note: str


class Trace:
    """The trace of one connection.

    Args:
        show: called with each line.
        is_client: whether this side is the client.
        connection: see :class:`TraceLine`.
        clock: returns the time in seconds.
    """

    def __init__(
        self,
        show: Callable[[TraceLine], None],
        *,
        is_client: bool,
        connection: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show = show
        self._connection = connection
        self._clock = clock
        self._started = clock()
        heads, controls = Heads(), ControlNotes(clock)
        self._directions = {
            ">": _Direction(">", is_client, heads, controls),
            "<": _Direction("<", not is_client, heads, controls),
        }

    def passed(self, arrow: str, data: bytes) -> None:
        """Add bytes, and show each line that they complete.

        Args:
            arrow: ``>`` if they were sent, ``<`` if they were received.
            data: the bytes; a line or frame may continue in the next ones.
        """
        for text, note in self._directions[arrow].feed(data):
            self._event(arrow, text, note)

    def ended(self, arrow: str, how: str) -> None:
        """Show the end of a direction, once.

        Args:
            arrow: see :meth:`passed`.
            how: a description of the end.
        """
        direction = self._directions[arrow]
        if not direction.ended:
            direction.ended = True
            self._event(arrow, how, direction.incomplete())

    def _event(self, arrow: str, text: str, note: str) -> None:
        seconds = self._clock() - self._started
        self._show(TraceLine(self._connection, seconds, arrow, text, note))


class _Direction:
    """The bytes of one direction: a head, then frames or the body of a refusal.

    Args:
        arrow: see :class:`TraceLine`.
        to_server: whether they are sent by the client.
        heads: the notes on the heads of both directions.
        controls: the notes on the control frames of both directions.
    """

    def __init__(self, arrow: str, to_server: bool, heads: Heads, controls: ControlNotes) -> None:
        self.ended = False
        self._arrow = arrow
        self._to_server = to_server
        self._heads = heads
        self._controls = controls
        self._data = b""
        self._position = 0  # of the first byte that is not part of a line yet
        self._take: Callable[[], tuple[str, str] | None] = self._take_start_line
        self._frame: TracedFrame | None = None
        self._inflater = inflater()
        self._message_inflater: PerMessageDeflate | None = None  # if the message is compressed

    def feed(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Yield the text and the note of each line that the bytes complete."""
        self._data, self._position = self._data[self._position :] + data, 0
        while (line := self._take()) is not None:
            yield line

    def incomplete(self) -> str:
        """Return a note on incomplete data at the end of the stream; "" if there is none."""
        if self._frame is not None:
            return f"incomplete frame: {self._frame.missing} bytes of its payload are missing"
        rest = len(self._data) - self._position
        return f"incomplete header: only {rest} bytes" if rest else ""

    def _take_line(self) -> str | None:
        end = self._data.find(b"\n", self._position)
        if end < 0:
            return None
        line = self._data[self._position : end].decode("latin-1")
        self._position = end + 1
        return one_line(line.removesuffix("\r"))

    def _take_start_line(self) -> tuple[str, str] | None:
        line = self._take_line()
        if line is None:
            return None
        self._take = self._take_header_line
        return line, self._heads.start_line(line, self._to_server)

    def _take_header_line(self) -> tuple[str, str] | None:
        line = self._take_line()
        if line is None:
            return None
        if line:
            return self._heads.header(line, self._to_server)
        is_open = self._to_server or self._heads.status == 101
        self._take = self._take_frame if is_open else self._take_body
        return "", ""

    def _take_body(self) -> tuple[str, str] | None:
        data, self._data, self._position = self._data[self._position :], b"", 0
        if not data:
            return None
        more = "..." if len(data) > _BODY_SHOWN else ""
        shown = one_line(repr(data[:_BODY_SHOWN].decode(errors="replace")))
        return f"{len(data)} bytes: {shown}{more}", "the refusal's body"

    def _take_frame(self) -> tuple[str, str] | None:
        if self._frame is None:
            try:
                self._frame = self._take_frame_header()
            except ProtocolError as exc:
                raw = self._data[self._position : self._position + MAX_HEADER_SIZE].hex(" ")
                self._take = self._take_nothing
                return f"header={raw}", f"wrong: {exc}; nothing after it can be read (§7.1.7)"
            if self._frame is None:
                return None
        frame = self._frame
        payload = self._data[self._position : self._position + frame.missing]
        self._position += len(payload)
        frame.feed(payload)
        if frame.missing:
            return None
        self._frame = None
        notes = self._controls.note(self._arrow, frame), frame.compression_note()
        return frame.text(), "; ".join(filter(None, notes))

    def _take_frame_header(self) -> TracedFrame | None:
        start = self._data[self._position : self._position + MAX_HEADER_SIZE]
        header = parse_header(start, self._to_server)
        if header is None:
            return None
        self._position += header.size
        compressed_by = None
        if header.opcode in (Opcode.TEXT, Opcode.BINARY):
            # RFC 7692 §6: RSV1 of the first frame applies to the whole message.
            self._message_inflater = self._inflater if header.rsv1 else None
        if header.opcode < Opcode.CLOSE:
            compressed_by = self._message_inflater
        return TracedFrame(header, start[: header.size], compressed_by)

    def _take_nothing(self) -> None:
        self._data, self._position = b"", 0
