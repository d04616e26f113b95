"""Messages to bytes: data frames in order, compressed where that was negotiated.

RFC 6455 §5.4 (fragmentation), §6.1 (sending); RFC 7692 §6.1. The sending half of
:class:`~ws6455.protocol.protocol.Protocol`, which knows what the state of the connection is to be;
here is only what may be sent in it.
"""

from __future__ import annotations

from typing import Any

from ..exceptions import InvalidState, ProtocolError
from ..framing.frames import Frame, Opcode, frame_parts, serialize_frame
from ..framing.shared_message import SharedMessage
from .receiver import LARGE, Receiver
from .states import OPEN, State

__all__ = ["Sender"]

_FIN, _RSV1 = 0x80, 0x40
# Looking up a member of an enumeration costs; this one is looked up for every message.
_CONT = Opcode.CONT


class Sender(Receiver):
    """What an end of a connection has to send, over what it has received.

    Args:
        masked: whether to mask, as a client must.
        state: where to begin.
        received: see :class:`~ws6455.protocol.receiver.Receiver`.
    """

    # So many attributes are faster in slots. A subclass may have any other.
    __slots__ = ("_compressing", "_masked_out", "_sending", "_state", "writes")

    def __init__(self, masked: bool, state: State, *received: Any) -> None:
        super().__init__(not masked, *received)
        # What a shell takes to write.
        self.writes: list[bytes] = []
        self._state = state  # Protocol alone changes it
        self._masked_out = masked
        # The opcode of the fragmented message being sent.
        self._sending: Opcode | None = None
        self._compressing = False  # whether the message being sent is compressed

    @property
    def sending_fragments(self) -> bool:
        """Whether a fragmented message has been begun and not been ended."""
        return self._sending is not None

    def send_text(self, data: bytes, fin: bool = True) -> None:
        """Send a text message of UTF-8, or its first fragment; see :meth:`send_data`."""
        self.send_data(Opcode.TEXT, data, fin)

    def send_binary(self, data: bytes, fin: bool = True) -> None:
        """Send a binary message, or its first fragment; see :meth:`send_data`."""
        self.send_data(Opcode.BINARY, data, fin)

    def send_continuation(self, data: bytes, fin: bool) -> None:
        """Send the next fragment of a message; see :meth:`send_data`."""
        self.send_data(Opcode.CONT, data, fin)

    def send_data(
        self, opcode: Opcode, data: bytes, fin: bool = True, compress: bool | None = None
    ) -> None:
        """Send a data frame.

        Args:
            opcode: TEXT or BINARY for a message or its first fragment, CONT for the next.
            data: the payload; UTF-8 for TEXT.
            fin: whether the message ends with it.
            compress: whether to compress the message, where compression was negotiated; None
                if it is not below the extension's threshold. Only the first frame says.

        Raises:
            InvalidState: unless OPEN.
            ProtocolError: if the frame is out of order in a fragmented message.
        """
        if self._state is not OPEN:
            raise InvalidState(f"connection is {self._state.name.lower()}")
        if not fin or opcode is _CONT or self._sending is not None:
            self._note_fragment(opcode, fin)
        if self.debug:
            self.logger.debug("> %s", Frame(opcode, data, fin))
        first = opcode | _FIN if fin else int(opcode)
        deflate = self._reader.deflate
        if deflate is not None:
            # RFC 7692 §6.1: the first frame alone says that the message is compressed.
            if opcode is not _CONT:
                if compress is None:
                    compress = not fin or len(data) >= deflate.threshold
                self._compressing = compress
                if self._compressing:
                    first |= _RSV1
            if self._compressing:
                data = deflate.compress(data, fin)
        if len(data) < LARGE:
            self.writes.append(serialize_frame(first, data, self._masked_out))
        else:
            self.writes += frame_parts(first, data, self._masked_out)

    def _note_fragment(self, opcode: Opcode, fin: bool) -> None:
        """Keep the order of a fragmented message (§5.4).

        Raises:
            ProtocolError: if the frame is out of order.
        """
        if (opcode is _CONT) is (self._sending is None):
            expected = "no" if self._sending is None else "a"
            raise ProtocolError(f"expected {expected} continuation frame")
        if fin:
            self._sending = None
        elif self._sending is None:
            self._sending = opcode

    def send_shared(self, message: SharedMessage) -> None:
        """Send a whole message that goes to other connections as well; see :meth:`send_data`."""
        if self._state is not OPEN or self._sending is not None or self._masked_out or self.debug:
            # A masking key serves one frame of one connection.
            self.send_data(message.opcode, message.data)
            return
        deflate = self._reader.deflate
        if deflate is None or len(message.data) < deflate.threshold:
            self.writes.append(message.plain)
        else:
            self.writes.append(message.compressed(deflate))
