"""A frame as a line of the trace: its header, the start of its payload, its purpose.

RFC 6455 §5.2 and §5.5, RFC 7692 §6. A payload may be large or never end, so it is processed piece
by piece and not kept.
"""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable

from ..exceptions import ProtocolError, WebSocketException
from ..framing.deflate import PerMessageDeflate
from ..framing.frames import MAX_CONTROL_PAYLOAD, Close, FrameHeader, Opcode
from ..framing.masking import apply_mask
from .printable import one_line

__all__ = ["ControlNotes", "TracedFrame", "inflater"]

_TEXT_SHOWN = 60  # characters
_BYTES_SHOWN = 24
# Limit for the decompressed bytes of a frame, since a peer may send a compression bomb. The
# library itself fails the connection at its own limit.
_MAX_INFLATED_SIZE = 1 << 26


def inflater() -> PerMessageDeflate:
    """Return a decompressor for one direction, for any negotiated parameters.

    The largest window also works for smaller ones. A context that the peer resets can be kept,
    since nothing refers to it.
    """
    return PerMessageDeflate(False, False, 15, 15)


class TracedFrame:
    """A frame whose payload is arriving.

    Args:
        header: the frame's header.
        raw_header: the bytes of the header.
        compressed_by: the decompressor of the payload; None if it is not compressed.
    """

    def __init__(
        self, header: FrameHeader, raw_header: bytes, compressed_by: PerMessageDeflate | None
    ) -> None:
        self.header = header
        self.missing: int = header.length  # bytes of payload still to come
        self.shown: bytes = b""  # the start of the payload; in a control frame, all of it
        self._raw_header = raw_header
        self._inflater = compressed_by
        self._inflated = 0
        self._inflate_error = ""

    def feed(self, data: bytes) -> None:
        """Add the next bytes of the payload, as on the wire."""
        key = self.header.key
        if key is not None:
            at = (self.header.length - self.missing) % 4
            data = apply_mask(data, key[at:] + key[:at])
        self.missing -= len(data)
        if self._inflater is None:
            self._show(data)
            return
        self._inflate(data)
        if self.header.fin and not self.missing and self._inflater.inflating:
            self._inflate(PerMessageDeflate.TAIL)

    def _show(self, data: bytes) -> None:
        self.shown += data[: MAX_CONTROL_PAYLOAD - len(self.shown)]

    def _inflate(self, data: bytes) -> None:
        assert self._inflater is not None
        if self._inflate_error:
            return
        try:
            for piece in self._inflater.inflate(data, lambda: 0):
                self._show(piece)
                self._inflated += len(piece)
                if self._inflated > _MAX_INFLATED_SIZE:
                    self._inflate_error = f"not decompressed beyond {_MAX_INFLATED_SIZE} bytes"
                    return
        except ProtocolError as exc:
            self._inflate_error = str(exc)

    def text(self) -> str:
        """Return the frame's header and the start of its payload."""
        header = self.header
        bits = " ".join(
            (["FIN"] if header.fin else [])
            + (["RSV1"] if header.rsv1 else [])
            + ([f"mask={header.key.hex()}"] if header.key is not None else [])
        )
        return (
            f"{header.opcode.name:<6} {bits or 'no bits':<17} length={header.length} "
            f"header={self._raw_header.hex(' ')} payload={self._preview()}"
        )

    def _preview(self) -> str:
        data = self.shown
        size = self._inflated if self._inflater is not None else self.header.length
        if self.header.opcode is Opcode.CLOSE and data:
            try:
                close = Close.parse(data)
            except WebSocketException:
                return data.hex(" ")  # the note explains the error
            return one_line(f"{close.code} {close.reason!r}")
        if self.header.opcode is Opcode.TEXT:
            # Whole characters only: a fragment, and `shown`, may end within a character.
            text = codecs.getincrementaldecoder("utf-8")("replace").decode(data)[:_TEXT_SHOWN]
            more = "..." if len(text.encode()) < size else ""
            return one_line(repr(text)) + more
        more = "..." if size > _BYTES_SHOWN else ""
        return (data[:_BYTES_SHOWN].hex(" ") or "none") + more

    def compression_note(self) -> str:
        """Return a note on the compression; "" for an uncompressed frame."""
        if self._inflater is None:
            return ""
        if self._inflate_error:
            return f"compressed (RFC 7692 §6): {self._inflate_error}"
        ratio = f", {self.header.length / self._inflated:.0%}" if self._inflated else ""
        return f"compressed: {self._inflated} bytes in {self.header.length}{ratio} (RFC 7692 §6)"


class ControlNotes:
    """Notes on the purpose of frames; matches pongs with pings, and the two Close frames.

    Args:
        clock: returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pings: dict[tuple[str, bytes], float] = {}
        self._closed_by = ""

    def note(self, arrow: str, frame: TracedFrame) -> str:
        """Return the note on a frame.

        Args:
            arrow: its direction.
            frame: the complete frame.
        """
        match frame.header.opcode:
            case Opcode.PING:
                self._pings[arrow, frame.shown] = self._clock()
                return "requires a pong (§5.5.2)"
            case Opcode.PONG:
                return self._pong("<" if arrow == ">" else ">", frame.shown)
            case Opcode.CLOSE:
                return self._close(arrow, frame.shown)
            case Opcode.CONT:
                return f"{'last' if frame.header.fin else 'next'} fragment (§5.4)"
            case _:
                return "" if frame.header.fin else "first fragment (§5.4)"

    def _pong(self, arrow_of_ping: str, data: bytes) -> str:
        sent_at = self._pings.get((arrow_of_ping, data))
        if sent_at is None:
            return "unsolicited (§5.5.3)"
        # A pong also answers all earlier pings.
        for ping in [ping for ping in self._pings if ping[0] == arrow_of_ping]:
            if self._pings.pop(ping) >= sent_at:
                break
        return f"answers the ping of {(self._clock() - sent_at) * 1000:.1f} ms ago (§5.5.3)"

    def _close(self, arrow: str, data: bytes) -> str:
        try:
            Close.parse(data)
        except WebSocketException as exc:
            return f"wrong: {exc} (§5.5.1)"
        if self._closed_by in ("", arrow):
            self._closed_by = arrow
            return "starts the closing handshake (§5.5.1, §7.1.2)"
        return "ends the closing handshake (§5.5.1); the server closes TCP first (§7.1.1)"
