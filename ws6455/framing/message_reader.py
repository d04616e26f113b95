"""Fragments to messages: their order, UTF-8, limits on size and number.

RFC 6455 §5.4 (fragmentation), §8.1 (UTF-8).

Payload arrives in pieces, whatever the frames and the reads; each piece is checked when it
arrives. So text fails at its first bad byte, a message above its limit when its header, or the
byte too many, comes, and what is kept is the payload alone, once: in memory that a transport may
receive into, and that becomes the message.
"""

from __future__ import annotations

import codecs
import functools
import io

from ..exceptions import InvalidPayloadData, PayloadTooBig, ProtocolError, TooManyFragments
from .deflate import PerMessageDeflate
from .frames import Frame, FrameHeader, Opcode

__all__ = ["Message", "MessageReader"]

# What a reader gives: a whole message, or one fragment of a fragmented message.
Message = str | bytes | Frame

# Memory to receive into: for so many bytes at first, then for so many times what has come.
_FIRST_ROOM = 1 << 16
_ROOM_GROWTH = 2

# What a reader has while no frame is under way; never written to.
_NO_PAYLOAD = io.BytesIO()

_Utf8Decoder = codecs.getincrementaldecoder("utf-8")


@functools.cache
def _keep_freed_memory() -> None:
    """Have malloc keep the memory of a large message for the next, once for the process.

    glibc gives the system back what is freed above a threshold, and takes the page faults again
    for the next message: a third of the time of one of 1 MiB. The threshold becomes twice the
    largest block of its own that was freed. This one is never touched.
    """
    bytes(1 << 24)


class MessageReader:
    """Reads the payload of data frames into messages.

    Args:
        max_message_size: bytes of a message after decompression; None for no limit.
        max_fragment_size: bytes of a fragment after decompression; None for no limit.
        max_fragments: fragments of a message; None for no limit.
    """

    __slots__ = (
        "_file",
        "_fragments",
        "_header",
        "_opcode",
        "_size",
        "_validator",
        "_wire_size",
        "compressed",
        "deflate",
        "max_fragment_size",
        "max_fragments",
        "max_message_size",
    )

    def __init__(
        self,
        max_message_size: int | None,
        max_fragment_size: int | None,
        max_fragments: int | None,
    ) -> None:
        self.max_message_size = max_message_size
        self.max_fragment_size = max_fragment_size
        self.max_fragments = max_fragments
        self.deflate: PerMessageDeflate | None = None
        self._opcode: Opcode | None = None  # of the message being read
        self._validator: codecs.IncrementalDecoder | None = None
        self._reset()

    def _reset(self) -> None:
        """Forget the message."""
        self._opcode = None
        self._header: FrameHeader | None = None
        self._file = _NO_PAYLOAD
        self._size = 0  # of the message, decompressed
        self._wire_size = 0  # of the message, as it travelled
        self._fragments = 0
        self.compressed = False  # the message

    @property
    def between_messages(self) -> bool:
        """Whether no message is under way."""
        return self._opcode is None

    def begin(self, header: FrameHeader) -> None:
        """Start a data frame.

        Raises:
            ProtocolError: if the frame is out of order, or RSV1 has no meaning in it.
            PayloadTooBig: if the frame would take the message above its limit.
            TooManyFragments: if it is one fragment too many.
        """
        if header.opcode is Opcode.CONT:
            if self._opcode is None:
                raise ProtocolError("unexpected continuation frame")
            if header.rsv1:
                raise ProtocolError("reserved bits must be 0")  # RFC 7692 §6.1
        else:
            if self._opcode is not None:
                raise ProtocolError("expected a continuation frame")
            if header.rsv1 and self.deflate is None:
                raise ProtocolError("reserved bits must be 0")
            self._opcode = header.opcode
            self.compressed = header.rsv1
            self._validator = _Utf8Decoder() if header.opcode is Opcode.TEXT else None
        self._header = header
        # The payload, decompressed: this kind of file gives its memory away as bytes, uncopied.
        self._file = io.BytesIO()
        self._fragments += 1
        if self.max_fragments is not None and self._fragments > self.max_fragments:
            raise TooManyFragments(self.max_fragments)
        self._check_announced(header.length)

    def _check_announced(self, length: int) -> None:
        """Refuse a frame by its header, before a byte of its payload is kept."""
        for limit, current in (
            (self.max_message_size, self._wire_size),
            (self.max_fragment_size, 0),
        ):
            if limit is None:
                continue
            wire_limit = limit
            if self.compressed:
                # Incompressible data grows, by at most an eighth, a 64th and a little (zlib's
                # own bound); every fragment may end with an empty block.
                wire_limit += (limit >> 3) + (limit >> 6) + 64 * self._fragments
            if current + length > wire_limit:
                raise PayloadTooBig(length, limit, current or None)
        self._wire_size += length

    def feed(self, piece: bytes) -> None:
        """Take a piece of the frame's payload, unmasked.

        Raises:
            InvalidPayloadData: if text is not UTF-8 up to here.
            PayloadTooBig: if the message inflates above its limit.
            ProtocolError: if the payload cannot be inflated.
        """
        if self.compressed:
            self._inflate(piece)
        else:
            self._keep(piece)

    def _inflate(self, piece: bytes) -> None:
        """Inflate a piece; never more at a time than the limit allows, and one byte."""
        assert self.deflate is not None
        for inflated in self.deflate.inflate(piece, self._room):
            self._keep(inflated)
            self._check_inflated()

    def _room(self) -> int:
        """Return how many bytes may come yet, and one more that would be too many; 0: any."""
        rooms = [
            limit - current + 1
            for limit, current in (
                (self.max_message_size, self._size),
                (self.max_fragment_size, self._file.tell()),
            )
            if limit is not None
        ]
        return min(rooms, default=0)

    def _check_inflated(self) -> None:
        for limit, size in (
            (self.max_message_size, self._size),
            (self.max_fragment_size, self._file.tell()),
        ):
            if limit is not None and size > limit:
                raise PayloadTooBig(None, limit, (self._size - self._file.tell()) or None)

    def _keep(self, piece: bytes) -> None:
        self._file.write(piece)
        self._size += len(piece)
        self._validate(piece, final=False)

    def payload(self, size: int = 0) -> memoryview:
        """Return the frame's payload, which is not compressed, and behind it room for more.

        The memory grows with what has come, not with what the header announces.

        Args:
            size: for how many bytes there has to be room; no more than the frame still has.
        """
        assert self._header is not None
        position = self._file.tell()
        needed = position + size
        if self._file.getbuffer().nbytes < needed:
            _keep_freed_memory()
            # Its memory becomes larger, rather than be copied into larger memory beside it.
            capacity = min(self._header.length, max(_FIRST_ROOM, needed * _ROOM_GROWTH))
            self._file.seek(capacity - 1)
            self._file.write(b"\0")
            self._file.seek(position)
        return self._file.getbuffer()

    def filled(self, start: int, end: int) -> None:
        """Take a piece that has come into :meth:`payload`, unmasked; see :meth:`feed`."""
        self._file.seek(end)
        self._size += end - start
        if self._validator is not None:
            self._validate(bytes(self._file.getbuffer()[start:end]), final=False)

    def _validate(self, piece: bytes, final: bool) -> None:
        """Check the next bytes of text; the decoder holds back those of an unfinished character."""
        validator = self._validator
        if validator is None:
            return
        unread = len(piece)
        if not final and piece.isascii() and not validator.getstate()[0]:
            return  # as the decoder would find, at a tenth of the cost
        try:
            validator.decode(piece, final)
            unread = 0
            pending = validator.getstate()[0]
            if pending[:1] == b"\xed" and pending[1:] >= b"\xa0":
                # A surrogate is bad at its second byte; the decoder sees it at the third.
                validator.decode(b"\x80")
        except UnicodeDecodeError as exc:
            held_back = len(validator.getstate()[0])
            at = self._size - unread - held_back + exc.start
            raise InvalidPayloadData(f"invalid UTF-8 at byte {at}: {exc.reason}") from exc

    def end(self) -> Message:
        """End the frame: return the message if it was the only frame of it, else the fragment.

        Raises:
            InvalidPayloadData: if text ends within a character.
            PayloadTooBig, ProtocolError: as :meth:`feed`, for what was held back in inflating.
        """
        header, opcode = self._header, self._opcode
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
