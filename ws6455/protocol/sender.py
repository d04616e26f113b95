"""Sender: turns messages and their fragments into frames.

RFC 6455 §5.4 (fragmentation), §6.1 (sending); RFC 7692 §6.1.
"""

from __future__ import annotations

from ..exceptions import ProtocolError
from ..framing.deflate import PerMessageDeflate
from ..framing.frames import Opcode, frame_parts

__all__ = ["FIN", "Sender"]

FIN, _RSV1 = 0x80, 0x40
_CONT = Opcode.CONT


class Sender:
    """Sending side of a connection: the order of fragments, and compression.

    Args:
        masked: True to mask frames, as a client must (§5.1).

    Attributes:
        deflate: the compression in use, or None.
    """

    # Slots: see docs/architecture.md.
    __slots__ = ("_compressing", "_masked", "_opcode", "deflate")

    def __init__(self, masked: bool) -> None:
        self._masked = masked
        self.deflate: PerMessageDeflate | None = None
        self._opcode: Opcode | None = None  # of the unfinished message
        self._compressing = False  # the unfinished message

    @property
    def sending_fragments(self) -> bool:
        """True while a fragmented message is unfinished."""
        return self._opcode is not None

    def data_frame(
        self, opcode: Opcode, data: bytes, fin: bool, compress: bool | None
    ) -> tuple[bytes, ...]:
        """Build a data frame; see :meth:`ws6455.protocol.protocol.Protocol.send_data`.

        Returns:
            The frame in one piece or, if it is large, in two.

        Raises:
            ProtocolError: if the frame is out of order in a fragmented message.
        """
        if not fin or opcode is _CONT or self._opcode is not None:
            self._note_fragment(opcode, fin)
        first = opcode | FIN if fin else int(opcode)
        deflate = self.deflate
        if deflate is not None:
            # RFC 7692 §6.1: only the first frame tells that the message is compressed.
            if opcode is not _CONT:
                if compress is None:
                    compress = not fin or len(data) >= deflate.threshold
                self._compressing = compress
                if compress:
                    first |= _RSV1
            if self._compressing:
                data = deflate.compress(data, fin)
        return frame_parts(first, data, self._masked)

    def _note_fragment(self, opcode: Opcode, fin: bool) -> None:
        """Keep the order of a fragmented message (§5.4).

        Raises:
            ProtocolError: if the frame is out of order.
        """
        if (opcode is _CONT) is (self._opcode is None):
            expected = "no" if self._opcode is None else "a"
            raise ProtocolError(f"expected {expected} continuation frame")
        if fin:
            self._opcode = None
        elif self._opcode is None:
            self._opcode = opcode
