"""Receiver: turns bytes into messages and control frames, however the bytes are split.

RFC 6455 §5.2 to §5.5. Messages that arrive whole take a fast path, :meth:`Receiver.receive_data`.
The slow path, :meth:`Receiver._receive_frames`, accepts everything that it accepts.
"""

from __future__ import annotations

from ..exceptions import PayloadTooBig, ProtocolError, TooManyFragments, WebSocketException
from ..framing.frames import LARGE, MAX_HEADER_SIZE, Close, Frame, FrameHeader, Opcode, parse_header
from ..framing.masking import PAD_FACTORS, PAD_SHIFTS, apply_mask, apply_mask_in_place, rotate_key
from ..framing.message_reader import Message, MessageReader
from ..typing import LoggerLike
from .receive_queue import ReceiveQueue

__all__ = ["VIOLATIONS", "Receiver", "as_frame"]

# Errors of the peer, each with the close code that fits.
VIOLATIONS = (ProtocolError, PayloadTooBig, TooManyFragments)
_NO_LIMIT = 1 << 62
# First byte of an unfragmented, uncompressed data frame.
_WHOLE_TEXT, _WHOLE_BINARY = 0x80 | Opcode.TEXT, 0x80 | Opcode.BINARY
_from_bytes = int.from_bytes  # called for every message
# Shared by every receiver without a control frame, and never filled: a list takes 56 bytes.
_NO_FRAMES: list[Frame] = []


class Receiver:
    """Receiving side of a connection that is open or closing.

    Args:
        queue: takes the messages.
        masked: True if the peer must mask its frames, as a client must (§5.1).
        max_size: bytes of a message after decompression; None for no limit; a pair limits the
            message and each of its fragments.
        max_fragments: fragments of a message; None for no limit.
        logger: logs each frame; None for no log.

    Attributes:
        reader: joins payloads to messages.
        close: the Close frame received, or None.
        violation: the peer's violation of the protocol, or None.
        wants_buffer: True if :meth:`receive_buffer` has memory for the next read.
        has_ended: True once a Close frame or a violation was received: nothing after it is read.
    """

    # Slots: see docs/architecture.md.
    __slots__ = (
        "_control_frames",
        "_control_payload",
        "_fast",
        "_frame",
        "_header_bytes",
        "_logger",
        "_masked",
        "_may_be_fast",
        "_queue",
        "_received",
        "_whole_limit",
        "close",
        "has_ended",
        "reader",
        "violation",
        "wants_buffer",
    )

    def __init__(
        self,
        queue: ReceiveQueue,
        masked: bool,
        max_size: int | tuple[int | None, int | None] | None,
        max_fragments: int | None,
        logger: LoggerLike | None,
    ) -> None:
        self._queue = queue
        self._masked = masked
        self._logger = logger
        message_size, fragment_size = max_size if isinstance(max_size, tuple) else (max_size, None)
        self.reader: MessageReader = MessageReader(message_size, fragment_size, max_fragments)
        self._whole_limit: int = _NO_LIMIT if message_size is None else message_size
        if fragment_size is not None and fragment_size < self._whole_limit:
            self._whole_limit = fragment_size
        self._control_frames = _NO_FRAMES
        self.close: Close | None = None
        self.violation: WebSocketException | None = None
        self.wants_buffer: bool = False
        self.has_ended: bool = False
        # The frame being received, the bytes of its payload received so far, and the start of a
        # header that was split.
        self._frame: FrameHeader | None = None
        self._received = 0
        self._control_payload = b""
        self._header_bytes = b""
        # True if the next byte starts a message that the fast path may take; it logs nothing.
        self._fast = self._may_be_fast = logger is None

    def receive_data(self, data: bytes | memoryview) -> bool:
        """Receive bytes, split anywhere.

        Args:
            data: the bytes; no reference to a view's memory is kept.

        Returns:
            True if there is something to handle besides messages: control frames, a violation,
            or a large payload that can be received in place, see :meth:`receive_buffer`.
        """
        position = 0
        size = len(data)
        if self._fast:
            # The fast path: messages of one uncompressed frame each that lie whole in the data.
            # Anything else is left to `_receive_frames`, which accepts these as well.
            messages = self._queue.messages
            masked = self._masked
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
                        # apply_mask() without the call.
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
                    # A length that is not in its shortest form is left to the slow path.
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
                if end == size:
                    return False
                position = end
        try:
            self._receive_frames(data, position)
        except VIOLATIONS as exc:
            self._note_violation(exc)
        return self._end_read()

    def take_control_frames(self) -> list[Frame]:
        """Return, once, the control frames received."""
        frames, self._control_frames = self._control_frames, _NO_FRAMES
        return frames

    # In place ---------------------------------------------------------------------------

    def receive_buffer(self) -> memoryview | None:
        """Return memory for the next read, so that a large payload is not copied.

        Returns:
            Memory to release before :meth:`receive_in_place` is called; None if the next bytes
            have to be passed to :meth:`receive_data`.
        """
        return self.reader.payload(LARGE)[self._received :] if self.wants_buffer else None

    def receive_in_place(self, size: int) -> bool:
        """Receive bytes that the transport has written to :meth:`receive_buffer`.

        Args:
            size: number of bytes.

        Returns:
            See :meth:`receive_data`.
        """
        frame = self._frame
        if frame is None or self.has_ended:
            return False
        try:
            self._fill_payload(frame, size)
            if self._received == frame.length:
                self._end_frame(frame)
        except VIOLATIONS as exc:
            self._note_violation(exc)
        return self._end_read()

    def _fill_payload(self, frame: FrameHeader, size: int) -> None:
        """Unmask and take bytes that stand at their place in the payload."""
        start, self._received = self._received, self._received + size
        if frame.key is not None:
            with self.reader.payload() as payload:
                apply_mask_in_place(payload, start, self._received, frame.key)
        self.reader.filled(start, self._received)

    # The slow path ----------------------------------------------------------------------

    def stop_fast_path(self) -> None:
        """Leave all further bytes to the slow path: messages are dropped."""
        self._fast = self._may_be_fast = self.wants_buffer = False

    def _end_read(self) -> bool:
        """Decide on the fast path for the next read; see :meth:`receive_data` for the result."""
        frame = self._frame
        if frame is None:
            self.wants_buffer = False
            self._fast = self._may_be_fast and not self._header_bytes and self.reader.opcode is None
        else:
            self._fast = False
            self.wants_buffer = (
                frame.length - self._received >= LARGE
                and frame.opcode < Opcode.CLOSE
                and not self.reader.compressed
                and not self._queue.dropping
                and not self.has_ended
            )
        return self.has_ended or self.wants_buffer or self._control_frames is not _NO_FRAMES

    def _note_violation(self, exc: WebSocketException) -> None:
        _clear_tracebacks(exc)
        self.violation = exc
        self.has_ended = True  # §7.1.7
        if self._logger is not None:
            self._logger.debug("! %s", exc)

    def _receive_frames(self, data: bytes | memoryview, position: int) -> None:
        """Receive frames of every kind, in pieces.

        Raises:
            ProtocolError, PayloadTooBig, TooManyFragments: at the first byte that shows it.
        """
        size = len(data)
        while not self.has_ended:
            frame = self._frame
            if frame is None:
                if position == size:
                    return
                known = len(self._header_bytes)
                header_bytes = (
                    self._header_bytes + data[position : position + MAX_HEADER_SIZE - known]
                )
                frame = parse_header(header_bytes, self._masked)
                if frame is None:
                    self._header_bytes = header_bytes
                    return
                position += frame.size - known
                self._begin_frame(frame)
            piece = data[position : position + frame.length - self._received]
            position += len(piece)
            self._receive_payload(frame, piece)
            if self._received < frame.length:
                return
            self._end_frame(frame)

    def _begin_frame(self, frame: FrameHeader) -> None:
        self._frame = frame
        self._header_bytes = b""
        self._received = 0
        self._control_payload = b""
        if frame.opcode < Opcode.CLOSE:
            self.reader.begin(frame)

    def _receive_payload(self, frame: FrameHeader, piece: bytes | memoryview) -> None:
        if not piece:
            return
        if frame.length >= LARGE and not self.reader.compressed:
            with self.reader.payload(len(piece)) as payload:
                payload[self._received : self._received + len(piece)] = piece
            self._fill_payload(frame, len(piece))
            return
        if frame.key is not None:
            piece = apply_mask(piece, rotate_key(frame.key, self._received))
        self._received += len(piece)
        if frame.opcode < Opcode.CLOSE:
            self.reader.feed(bytes(piece))
        else:
            self._control_payload += piece

    def _end_frame(self, header: FrameHeader) -> None:
        self._frame = None
        if header.opcode < Opcode.CLOSE:
            message = self.reader.end()
            self._queue.append(message, header.fin)
            if self._logger is not None:
                self._logger.debug("< %s", as_frame(message))
            return
        frame = Frame(header.opcode, self._control_payload)
        if self._logger is not None:
            self._logger.debug("< %s", frame)
        if header.opcode is Opcode.CLOSE:
            self.close = Close.parse(frame.data)
            self.has_ended = True  # §5.5.1: no frame follows it
        if self._control_frames is _NO_FRAMES:
            self._control_frames = []
        self._control_frames.append(frame)


def _clear_tracebacks(exc: BaseException | None) -> None:
    """Clear tracebacks: their frames refer to the connection, which keeps the exception."""
    while exc is not None:
        exc.__traceback__ = None
        exc = exc.__context__


def as_frame(message: Message) -> Frame:
    """Return a message as one frame; a frame is returned unchanged."""
    if isinstance(message, str):
        return Frame(Opcode.TEXT, message.encode())
    if isinstance(message, bytes):
        return Frame(Opcode.BINARY, message)
    return message
