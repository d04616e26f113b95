"""Bytes to messages and control frames, however the bytes are cut.

RFC 6455 §5.2 to §5.5. The receiving half of :class:`~ws6455.protocol.protocol.Protocol`, which
knows the state of the connection; here is only what the bytes say. The fast path is here, and the
slow path that takes everything it takes.
"""

from __future__ import annotations

import abc
import logging
from collections import deque

from ..exceptions import PayloadTooBig, ProtocolError, TooManyFragments, WebSocketException
from ..framing.frames import MAX_HEADER_SIZE, Frame, FrameHeader, Opcode, parse_header
from ..framing.masking import PAD_FACTORS, PAD_SHIFTS, apply_mask, apply_mask_in_place, rotate_key
from ..framing.message_reader import Message, MessageReader
from ..typing import LoggerLike

__all__ = ["LARGE", "VIOLATIONS", "Receiver", "as_frame"]

# What a peer's bytes can be guilty of; each has the close code that fits.
VIOLATIONS = (ProtocolError, PayloadTooBig, TooManyFragments)
# A payload of so many bytes is worth some trouble not to copy it.
LARGE = 1 << 14
_NO_LIMIT = 1 << 62
# The first byte of an unfragmented, uncompressed data frame.
_WHOLE_TEXT, _WHOLE_BINARY = 0x80 | Opcode.TEXT, 0x80 | Opcode.BINARY
# Looking up a method costs; this one is looked up for every message.
_from_bytes = int.from_bytes


class Receiver(abc.ABC):
    """What an end of a connection has received.

    Args:
        masked: whether the peer must mask, as a client.
        max_size, max_fragments, logger: see :class:`~ws6455.protocol.protocol.Protocol`.
    """

    # So many attributes are faster in slots. A subclass may have any other.
    __slots__ = (
        "_between_messages",
        "_control_payload",
        "_discarding",
        "_frame",
        "_header_bytes",
        "_masked_in",
        "_reader",
        "_received",
        "_whole_limit",
        "attention",
        "cause",
        "debug",
        "logger",
        "messages",
        "open_fragments",
        "violation",
    )

    def __init__(
        self,
        masked: bool,
        max_size: int | tuple[int | None, int | None] | None,
        max_fragments: int | None,
        logger: LoggerLike,
    ) -> None:
        self.logger = logger
        self.debug = logger.isEnabledFor(logging.DEBUG)
        # What a shell takes: messages, and fragments of messages, in order.
        self.messages: deque[Message] = deque()
        self.open_fragments = 0  # at the end of `messages`, of a message that is not whole
        self.attention = False  # whether there is anything new besides `messages`
        # The peer's violation, whether or not its turn to fail the connection has come.
        self.violation: WebSocketException | None = None
        # Why the connection failed, or was lost; the exception that ends it is raised from it.
        self.cause: BaseException | None = None
        self._masked_in = masked
        message_size, fragment_size = max_size if isinstance(max_size, tuple) else (max_size, None)
        self._reader = MessageReader(message_size, fragment_size, max_fragments)
        self._whole_limit = _NO_LIMIT if message_size is None else message_size
        if fragment_size is not None and fragment_size < self._whole_limit:
            self._whole_limit = fragment_size
        # The frame under way, how much of it has come, and a header that was cut in two.
        self._header_bytes = b""
        self._frame: FrameHeader | None = None
        self._received = 0
        self._control_payload = b""
        self._discarding = False
        # Whether the next byte begins a message of an open connection, so that it may come whole.
        self._between_messages = False

    @abc.abstractmethod
    def _receive_control(self, frame: Frame) -> None:
        """Obey a control frame.

        Raises:
            ProtocolError: if its payload breaks a rule.
        """

    def receive_data(self, data: bytes | memoryview) -> None:
        """Take bytes from the transport, cut anywhere.

        Args:
            data: the bytes; nothing refers to a view's memory afterwards.

        Raises:
            EOFError: after :meth:`~ws6455.protocol.protocol.Protocol.receive_eof`.
        """
        position = 0
        size = len(data)
        if self._between_messages:
            # The case that counts for speed, and the one place where it does: messages of one
            # uncompressed frame each that lie whole in the data. Whatever is not such a message
            # is left to `_receive_frames`, which takes these as well.
            messages = self.messages
            masked = self._masked_in
            limit = self._whole_limit
            while size - position > 1:
                first = data[position]
                if first != _WHOLE_BINARY and first != _WHOLE_TEXT:
                    break
                length = data[position + 1]
                start = position + 2
                if masked:
                    length -= 0x80  # negative without the mask bit
                    start += 4
                if 0 <= length < 126:
                    end = start + length
                    if end > size or length > limit:
                        break
                    if masked:
                        # What apply_mask does, without the call.
                        key = _from_bytes(data[position + 2 : start])
                        pad = key * PAD_FACTORS[length] >> PAD_SHIFTS[length]
                        payload = (_from_bytes(data[start:end]) ^ pad).to_bytes(length)
                    else:
                        payload = bytes(data[start:end])
                elif length == 126 or length == 127:
                    extended = 2 if length == 126 else 8
                    length = _from_bytes(data[position + 2 : position + 2 + extended])
                    start += extended
                    end = start + length
                    # The rules for the shortest form are the slow path's matter.
                    if end > size or length > limit or length < (126 if extended == 2 else 65536):
                        break
                    if masked:
                        payload = apply_mask(data[start:end], bytes(data[start - 4 : start]))
                    else:
                        payload = bytes(data[start:end])
                else:
                    break
                if first == _WHOLE_BINARY:
                    messages.append(payload)
                else:
                    try:
                        messages.append(payload.decode())
                    except UnicodeDecodeError:
                        break
                if self.debug:
                    self.logger.debug("< %s", as_frame(messages[-1]))
                if end == size:
                    return
                position = end
        self._receive_rest(data, position)

    def _receive_rest(self, data: bytes | memoryview, position: int) -> None:
        """Take what is left of a read after its first whole messages."""
        self._between_messages = False
        try:
            self._receive_frames(data, position)
        except VIOLATIONS as exc:
            self._note_violation(exc)
        else:
            self._note_position()

    def receive_in_place(self, size: int) -> None:
        """Take bytes that the transport has received into :meth:`room`.

        Args:
            size: how many.
        """
        frame = self._frame
        if frame is None or self._discarding:
            return
        try:
            self._take_filled(frame, size)
            if self._received < frame.length:
                self._note_room(frame)
            else:
                self._end_frame(frame)
        except VIOLATIONS as exc:
            self._note_violation(exc)
        else:
            self._note_position()

    def _take_filled(self, frame: FrameHeader, size: int) -> None:
        """Take bytes that stand where the payload has room for them, still masked."""
        start, self._received = self._received, self._received + size
        if frame.key is not None:
            with self._reader.payload() as payload:
                apply_mask_in_place(payload, start, self._received, frame.key)
        self._reader.filled(start, self._received)

    def _note_room(self, frame: FrameHeader) -> None:
        """Have the shell ask for :meth:`room` if it is worth it."""
        if frame.length - self._received >= LARGE:
            self.attention = True

    def room(self) -> memoryview | None:
        """Return where a transport may receive next, so that a large payload is not copied.

        None if it has to be :meth:`receive_data`. Release it before :meth:`receive_in_place`.
        """
        frame = self._frame
        if (
            frame is None
            or frame.length - self._received < LARGE
            or frame.opcode >= Opcode.CLOSE
            or self._reader.compressed
            or self._discarding
        ):
            return None
        return self._reader.payload(LARGE)[self._received :]

    def _note_violation(self, exc: WebSocketException) -> None:
        _forget_frames(exc)
        self.violation = self.cause = exc
        self._discarding = True  # §7.1.7
        self.attention = True
        if self.debug:
            self.logger.debug("! %s", exc)

    def _note_position(self) -> None:
        """Note whether a message is under way."""
        self._between_messages = (
            self._frame is None
            and not self._header_bytes
            and self._reader.between_messages
            and not self._discarding
        )

    def _receive_frames(self, data: bytes | memoryview, position: int) -> None:
        """Take frames of every kind, in pieces.

        Raises:
            ProtocolError, PayloadTooBig, TooManyFragments: at the first byte that shows it.
        """
        size = len(data)
        while not self._discarding:
            frame = self._frame
            if frame is None:
                if position == size:
                    return
                known = len(self._header_bytes)
                header_bytes = (
                    self._header_bytes + data[position : position + MAX_HEADER_SIZE - known]
                )
                frame = parse_header(header_bytes, self._masked_in)
                if frame is None:
                    self._header_bytes = header_bytes
                    return
                position += frame.size - known
                self._begin_frame(frame)
            piece = data[position : position + frame.length - self._received]
            position += len(piece)
            self._receive_payload(frame, piece)
            if self._received < frame.length:
                self._note_room(frame)
                return
            self._end_frame(frame)

    def _begin_frame(self, frame: FrameHeader) -> None:
        self._frame = frame
        self._header_bytes = b""
        self._received = 0
        self._control_payload = b""
        if frame.opcode < Opcode.CLOSE:
            self._reader.begin(frame)

    def _receive_payload(self, frame: FrameHeader, piece: bytes | memoryview) -> None:
        if not piece:
            return
        if frame.length >= LARGE and not self._reader.compressed:
            with self._reader.payload(len(piece)) as payload:
                payload[self._received : self._received + len(piece)] = piece
            self._take_filled(frame, len(piece))
            return
        if frame.key is not None:
            piece = apply_mask(piece, rotate_key(frame.key, self._received))
        self._received += len(piece)
        if frame.opcode < Opcode.CLOSE:
            self._reader.feed(bytes(piece))
        else:
            self._control_payload += piece

    def _end_frame(self, header: FrameHeader) -> None:
        self._frame = None
        if header.opcode < Opcode.CLOSE:
            message = self._reader.end()
            self.messages.append(message)
            self.open_fragments = 0 if header.fin else self.open_fragments + 1
            if self.debug:
                self.logger.debug("< %s", as_frame(message))
        else:
            self._receive_control(Frame(header.opcode, self._control_payload))


def _forget_frames(exc: BaseException | None) -> None:
    """Drop tracebacks: their frames refer to the connection, which keeps the exception."""
    while exc is not None:
        exc.__traceback__ = None
        exc = exc.__context__


def as_frame(message: Message) -> Frame:
    """Return a message as the one frame it could have been."""
    if isinstance(message, str):
        return Frame(Opcode.TEXT, message.encode())
    if isinstance(message, bytes):
        return Frame(Opcode.BINARY, message)
    return message
