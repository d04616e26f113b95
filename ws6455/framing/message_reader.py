"""Assembly of data frames into messages: order of fragments, UTF-8, limits.

RFC 6455 §5.4 (fragmentation), §8.1 (UTF-8).

Payload arrives in pieces of any size, and each piece is checked on arrival. Text fails at its
first invalid byte. A message above its limit fails at the frame header that announces it, or at
the first excess byte. The payload is kept once, in memory that a transport may receive into and
that becomes the message.
"""

from __future__ import annotations

import codecs
import functools
import io

from ..exceptions import InvalidPayloadData, PayloadTooBig, ProtocolError, TooManyFragments
from .deflate import PerMessageDeflate
from .frames import Frame, FrameHeader, Opcode

__all__ = ["Message", "MessageReader"]

# The result of a reader: a whole message, or one fragment of a fragmented message.
Message = str | bytes | Frame

# Memory to receive into: initial size in bytes; growth factor.
_INITIAL_CAPACITY = 1 << 16
_GROWTH_FACTOR = 2

# The file of a reader between frames; never written to.
_NO_PAYLOAD = io.BytesIO()

_Utf8Decoder = codecs.getincrementaldecoder("utf-8")


@functools.cache
def _keep_freed_memory() -> None:
    """Make malloc keep the memory of a large message for the next one; once per process.

    glibc returns freed memory above a threshold to the system, so the next message causes page
    faults again: a third of the time of a message of 1 MiB. Freeing a block that has a mapping of
    its own raises the threshold to twice its size. The block freed here is never touched.
    """
    bytes(1 << 24)


class MessageReader:
    """Assembles the payload of data frames into messages.

    Args:
        max_message_size: limit for a message after decompression, in bytes; None for no limit.
        max_fragment_size: limit for a fragment after decompression, in bytes; None for no limit.
        max_fragments: limit for the fragments of a message; None for no limit.

    Attributes:
        opcode: opcode of the message being read; None between messages.
    """

    __slots__ = (
        "_file",
        "_fragments",
        "_header",
        "_size",
        "_validator",
        "_wire_size",
        "compressed",
        "deflate",
        "max_fragment_size",
        "max_fragments",
        "max_message_size",
        "opcode",
    )

    def __init__(
        self,
        max_message_size: int | None,
        max_fragment_size: int | None,
        max_fragments: int | None,
    ) -> None:
        self.max_message_size: int | None = max_message_size
        self.max_fragment_size: int | None = max_fragment_size
        self.max_fragments: int | None = max_fragments
        self.deflate: PerMessageDeflate | None = None
        self.opcode: Opcode | None = None
        self._validator: codecs.IncrementalDecoder | None = None
        self._reset()

    def _reset(self) -> None:
        """Prepare for the next message."""
        self.opcode = None
        self._header: FrameHeader | None = None
        self._file = _NO_PAYLOAD
        self._size = 0  # of the message, decompressed
        self._wire_size = 0  # of the message, as on the wire
        self._fragments = 0
        self.compressed: bool = False  # whether the message is

    def begin(self, header: FrameHeader) -> None:
        """Begin a data frame.

        Raises:
            ProtocolError: if the frame is out of order, or RSV1 is set without a meaning.
            PayloadTooBig: if the frame, or the message with it, would exceed its limit.
            TooManyFragments: if the message exceeds its limit of fragments.
        """
        if header.opcode is Opcode.CONT:
            if self.opcode is None:
                raise ProtocolError("unexpected continuation frame")
            if header.rsv1:
                raise ProtocolError("reserved bits must be 0")  # RFC 7692 §6.1
        else:
            if self.opcode is not None:
                raise ProtocolError("expected a continuation frame")
            if header.rsv1 and self.deflate is None:
                raise ProtocolError("reserved bits must be 0")
            self.opcode = header.opcode
            self.compressed = header.rsv1
            self._validator = _Utf8Decoder() if header.opcode is Opcode.TEXT else None
        self._header = header
        # The payload, decompressed. BytesIO.getvalue() returns its memory without a copy.
        self._file = io.BytesIO()
        self._fragments += 1
        if self.max_fragments is not None and self._fragments > self.max_fragments:
            raise TooManyFragments(self.max_fragments)
        self._check_announced(header.length)

    def _check_announced(self, length: int) -> None:
        """Check the announced length, before a byte of the payload is kept."""
        for limit, current in (
            (self.max_message_size, self._wire_size),
            (self.max_fragment_size, 0),
        ):
            if limit is None:
                continue
            wire_limit = limit
            if self.compressed:
                # Incompressible data grows by at most 1/8 + 1/64 and a constant (zlib's own
                # bound); every fragment may end with an empty block.
                wire_limit += (limit >> 3) + (limit >> 6) + 64 * self._fragments
            if current + length > wire_limit:
                raise PayloadTooBig(length, limit, current or None)
        self._wire_size += length

    def feed(self, piece: bytes) -> None:
        """Add an unmasked piece of the frame's payload.

        Raises:
            InvalidPayloadData: if text is not UTF-8 so far.
            PayloadTooBig: if the decompressed message exceeds its limit.
            ProtocolError: if the payload cannot be decompressed.
        """
        if self.compressed:
            self._inflate(piece)
        else:
            self._append(piece)

    def _inflate(self, piece: bytes) -> None:
        """Decompress a piece, at most one byte beyond the limits at a time."""
        assert self.deflate is not None
        for inflated in self.deflate.inflate(piece, self._max_inflated_length):
            self._append(inflated)
            self._check_inflated()

    def _max_inflated_length(self) -> int:
        """Return the number of bytes left within the limits, plus one; 0 for no limit."""
        lengths = [
            limit - current + 1
            for limit, current in (
                (self.max_message_size, self._size),
                (self.max_fragment_size, self._file.tell()),
            )
            if limit is not None
        ]
        return min(lengths, default=0)

    def _check_inflated(self) -> None:
        for limit, size in (
            (self.max_message_size, self._size),
            (self.max_fragment_size, self._file.tell()),
        ):
            if limit is not None and size > limit:
                raise PayloadTooBig(None, limit, (self._size - self._file.tell()) or None)

    def _append(self, piece: bytes) -> None:
        self._file.write(piece)
        self._size += len(piece)
        self._validate(piece, final=False)

    def payload(self, size: int = 0) -> memoryview:
        """Return the buffer of an uncompressed frame: its payload so far, then free space.

        The buffer grows with the bytes received, not with the announced length.

        Args:
            size: free bytes needed, at most the payload that is still to come.
        """
        assert self._header is not None
        position = self._file.tell()
        needed = position + size
        if self._file.getbuffer().nbytes < needed:
            _keep_freed_memory()
            # Writing beyond the end enlarges the memory, where a second buffer would need a copy.
            capacity = min(self._header.length, max(_INITIAL_CAPACITY, needed * _GROWTH_FACTOR))
            self._file.seek(capacity - 1)
            self._file.write(b"\0")
            self._file.seek(position)
        return self._file.getbuffer()

    def filled(self, start: int, end: int) -> None:
        """Add an unmasked piece that was received into :meth:`payload`; see :meth:`feed`."""
        self._file.seek(end)
        self._size += end - start
        if self._validator is not None:
            self._validate(bytes(self._file.getbuffer()[start:end]), final=False)

    def _validate(self, piece: bytes, final: bool) -> None:
        """Check the next bytes of text; the decoder holds back an incomplete character."""
        validator = self._validator
        if validator is None:
            return
        unread = len(piece)
        if not final and piece.isascii() and not validator.getstate()[0]:
            return  # the same result as the decoder's, at a tenth of the cost
        try:
            validator.decode(piece, final)
            unread = 0
            pending = validator.getstate()[0]
            if pending[:1] == b"\xed" and pending[1:] >= b"\xa0":
                # A surrogate is invalid at its second byte; the decoder reports it at the third.
                validator.decode(b"\x80")
        except UnicodeDecodeError as exc:
            held_back = len(validator.getstate()[0])
            at = self._size - unread - held_back + exc.start
            raise InvalidPayloadData(f"invalid UTF-8 at byte {at}: {exc.reason}") from exc

    def end(self) -> Message:
        """End the frame. Return the message if this was its only frame, else the fragment.

        Raises:
            InvalidPayloadData: if text ends within a character.
            PayloadTooBig, ProtocolError: as :meth:`feed`, for output that zlib held back.
        """
        header, opcode = self._header, self.opcode
        assert header is not None
        assert opcode is not None
        if header.fin:
            if self.compressed:
                assert self.deflate is not None
                if self.deflate.inflating:
                    self._inflate(PerMessageDeflate.TAIL)
                self.deflate.end_inflated_message()
            self._validate(b"", final=True)
        data = self._file.getvalue()
        if not header.fin:
            self._file = _NO_PAYLOAD
            return Frame(header.opcode, data, fin=False)
        self._reset()
        if header.opcode is Opcode.CONT:
            return Frame(Opcode.CONT, data)
        return data.decode() if opcode is Opcode.TEXT else data
