"""Frames of every version, their payloads and masks, and the constants of `websockets`.

RFC 6455 §4.1 (states), §5 (frames), §7.4 (close codes).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, NamedTuple, Protocol

from ..exceptions import ProtocolError
from ..framing import frames, masking
from ..framing.frames import Close, CloseCode, Opcode
from ..protocol.states import Side, State
from ..session.keepalive import control_payload as encode_data
from ..session.keepalive import control_payload as prepare_ctrl
from ..typing import BytesLike
from .exceptions import PayloadTooBig

__all__ = [
    "Frame",
    "FrameExtension",
    "LegacyFrame",
    "apply_mask",
    "encode_data",
    "parse_close",
    "prepare_ctrl",
    "prepare_data",
    "serialize_close",
]

CONT, TEXT, BINARY, CLOSE, PING, PONG = Opcode
OP_CONT, OP_TEXT, OP_BINARY, OP_CLOSE, OP_PING, OP_PONG = Opcode
DATA_OPCODES = CONT, TEXT, BINARY
CTRL_OPCODES = CLOSE, PING, PONG

SERVER, CLIENT = Side
CONNECTING, OPEN, CLOSING, CLOSED = State

OK_CLOSE_CODES = frames.OK_CLOSE_CODES
EXTERNAL_CLOSE_CODES = set(CloseCode) - frames.INTERNAL_CLOSE_CODES

# Explanations of the close codes.
CLOSE_CODES = CLOSE_CODE_EXPLANATIONS = {
    code: code.name.lower().replace("_", " ") for code in CloseCode
}


class FrameExtension(Protocol):
    """An extension that encodes and decodes single frames."""

    def decode(self, frame: frames.Frame, *, max_size: int | None = None) -> frames.Frame:
        """Decode a received frame."""

    def encode(self, frame: frames.Frame) -> frames.Frame:
        """Encode a frame to send."""


class Frame(frames.Frame):
    """A frame; see :class:`ws6455.Frame`."""

    __slots__ = ()

    @classmethod
    def parse(
        cls,
        read_exact: Callable[[int], Generator[None, None, bytes | bytearray]],
        *,
        mask: bool,
        max_size: int | None = None,
        extensions: Sequence[FrameExtension] | None = None,
    ) -> Generator[None, None, frames.Frame]:
        """Read a frame; a generator that yields while it waits for bytes.

        Args:
            read_exact: waits for a number of bytes and returns them.
            mask: True if the frame must be masked, as from a client.
            max_size: the limit of the payload in bytes; None for no limit.
            extensions: the extensions that decode the frame, in the order of negotiation; the
                last one decodes first.

        Raises:
            ProtocolError: if the frame is invalid.
            PayloadTooBig: if the payload is above the limit.
        """
        head = bytes((yield from read_exact(2)))
        while (header := frames.parse_header(head, mask)) is None:
            length = head[1] & 0x7F
            size = 2 + (2 if length == 126 else 8 if length == 127 else 0) + (4 if mask else 0)
            head += yield from read_exact(size - len(head))
        if max_size is not None and header.length > max_size:
            raise PayloadTooBig(header.length, max_size)
        data = bytes((yield from read_exact(header.length)))
        if header.key is not None:
            data = masking.apply_mask(data, header.key)
        frame: frames.Frame = cls(header.opcode, data, header.fin, header.rsv1)
        for extension in reversed(extensions or ()):
            frame = extension.decode(frame, max_size=max_size)
        frame.check()
        return frame

    def serialize(self, *, mask: bool, extensions: Sequence[FrameExtension] | None = None) -> bytes:
        """Serialize the frame.

        Args:
            mask: True masks the payload, as a client must.
            extensions: the extensions that encode the frame, in the order of negotiation.

        Raises:
            ProtocolError: if a control frame is fragmented or too long.
            TypeError: if the payload is not bytes-like.
        """
        self.check()
        frame: frames.Frame = self
        for extension in extensions or ():
            frame = extension.encode(frame)
        return frames.Frame.serialize(frame, mask=mask)


class LegacyFrame(NamedTuple):
    """A frame as a tuple, as in ``websockets.legacy`` and in versions 8 and 9.

    Attributes:
        fin: True for the final frame of a message.
        opcode: the opcode.
        data: the payload.
        rsv1, rsv2, rsv3: the reserved bits.
    """

    fin: bool
    opcode: int
    data: bytes
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False

    @property
    def new_frame(self) -> Frame:
        """The frame as a :class:`Frame`."""
        return Frame(Opcode(self.opcode), self.data, self.fin, self.rsv1, self.rsv2, self.rsv3)

    def __str__(self) -> str:
        return str(self.new_frame)

    def check(self) -> None:
        """Check the reserved bits and the rules for control frames (§5.2, §5.5).

        Raises:
            ProtocolError: if the frame is invalid.
        """
        if self.rsv1 or self.rsv2 or self.rsv3:
            raise ProtocolError("reserved bits must be 0")
        self.new_frame.check()

    @classmethod
    async def read(
        cls,
        reader: Callable[[int], Awaitable[bytes]],
        *,
        mask: bool,
        max_size: int | None = None,
        extensions: Sequence[FrameExtension] | None = None,
    ) -> LegacyFrame:
        """Read a frame.

        Args:
            reader: coroutine function that reads a number of bytes.
            mask: True if the frame must be masked, as from a client.
            max_size: the limit of the payload in bytes; None for no limit.
            extensions: see :meth:`Frame.parse`.

        Raises:
            ProtocolError: if the frame is invalid.
            PayloadTooBig: if the payload is above the limit.
        """
        wanted, data = 0, b""

        def read_exact(size: int) -> Generator[None, None, bytes]:
            nonlocal wanted
            wanted = size
            yield
            return data

        parsing = Frame.parse(read_exact, mask=mask, max_size=max_size, extensions=extensions)
        while True:
            try:
                next(parsing)
            except StopIteration as stop:
                parsed = stop.value
                break
            data = await reader(wanted)
        frame = cls(parsed.fin, parsed.opcode, parsed.data, parsed.rsv1, parsed.rsv2, parsed.rsv3)
        frame.check()
        return frame

    def write(
        self,
        write: Callable[[bytes], Any],
        *,
        mask: bool,
        extensions: Sequence[FrameExtension] | None = None,
    ) -> None:
        """Write the frame.

        Args:
            write: writes bytes.
            mask: True masks the payload, as a client must.
            extensions: see :meth:`Frame.serialize`.

        Raises:
            ProtocolError: if the frame is invalid.
        """
        self.check()
        write(self.new_frame.serialize(mask=mask, extensions=extensions))


# Payloads and masks -------------------------------------------------------------------


def prepare_data(data: str | BytesLike) -> tuple[int, bytes]:
    """Return the opcode and the payload of a message.

    Raises:
        TypeError: if the message is neither a string nor bytes-like.
    """
    return (Opcode.TEXT if isinstance(data, str) else Opcode.BINARY), prepare_ctrl(data)


def parse_close(data: bytes) -> tuple[int, str]:
    """Parse the payload of a Close frame.

    Raises:
        ProtocolError: if the payload is invalid.
    """
    close = Close.parse(data)
    return close.code, close.reason


def serialize_close(code: int, reason: str) -> bytes:
    """Build the payload of a Close frame.

    Raises:
        ProtocolError: if the close code is invalid, or the reason is too long.
    """
    return Close(code, reason).serialize()


def apply_mask(data: BytesLike, mask: bytes | bytearray) -> bytes:
    """Mask or unmask a payload.

    Args:
        data: the payload.
        mask: the masking key of 4 bytes.

    Raises:
        ValueError: if the length of the key is not 4 bytes.
    """
    return masking.apply_mask(bytes(data), bytes(mask))
