"""Frames as a program of versions 8 to 13 reads and writes them by hand.

RFC 6455 §5.2, §5.5.1.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, NamedTuple

from ..exceptions import ProtocolError
from ..framing.frames import Close, Opcode
from ..typing import BytesLike
from . import frames
from .frames import FrameExtension

__all__ = [
    "Frame",
    "encode_data",
    "parse_close",
    "prepare_ctrl",
    "prepare_data",
    "serialize_close",
]


class Frame(NamedTuple):
    """A frame.

    Attributes:
        fin: whether it is the last of its message.
        opcode: what it is.
        data: its payload.
        rsv1, rsv2, rsv3: reserved bits.
    """

    fin: bool
    opcode: int
    data: bytes
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False

    @property
    def new_frame(self) -> frames.Frame:
        """The frame in its form of today."""
        return frames.Frame(
            Opcode(self.opcode), self.data, self.fin, self.rsv1, self.rsv2, self.rsv3
        )

    def __str__(self) -> str:
        return str(self.new_frame)

    def check(self) -> None:
        """Check the reserved bits, and the rules for control frames (§5.2, §5.5).

        Raises:
            ProtocolError: if the frame breaks one.
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
    ) -> Frame:
        """Read a frame.

        Args:
            reader: reads exactly so many bytes.
            mask: whether it must be masked, as a client's.
            max_size: bytes of the payload; None for no limit.
            extensions: what decodes it.

        Raises:
            ProtocolError: if it breaks a rule.
            PayloadTooBig: if the payload is above the limit.
        """
        wanted, data = 0, b""

        def read_exact(size: int) -> Generator[None, None, bytes]:
            nonlocal wanted
            wanted = size
            yield
            return data

        parsing = frames.Frame.parse(
            read_exact, mask=mask, max_size=max_size, extensions=extensions
        )
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
            write: takes the bytes.
            mask: whether to mask it, as a client must.
            extensions: what encodes it.

        Raises:
            ProtocolError: if it breaks a rule.
        """
        self.check()
        write(self.new_frame.serialize(mask=mask, extensions=extensions))


def prepare_data(data: str | BytesLike) -> tuple[int, bytes]:
    """Return the opcode and the payload for a message.

    Raises:
        TypeError: if it is neither a string nor bytes-like.
    """
    return (Opcode.TEXT if isinstance(data, str) else Opcode.BINARY), prepare_ctrl(data)


def prepare_ctrl(data: str | BytesLike) -> bytes:
    """Return the payload for a control frame.

    Raises:
        TypeError: if it is neither a string nor bytes-like.
    """
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, BytesLike):
        return bytes(data)
    raise TypeError(f"data must be str or bytes-like, not {type(data).__name__}")


encode_data = prepare_ctrl


def parse_close(data: bytes) -> tuple[int, str]:
    """Parse the payload of a Close frame.

    Raises:
        ProtocolError: if it is malformed.
    """
    close = Close.parse(data)
    return close.code, close.reason


def serialize_close(code: int, reason: str) -> bytes:
    """Build the payload of a Close frame.

    Raises:
        ProtocolError: if the code must not travel.
    """
    return Close(code, reason).serialize()
