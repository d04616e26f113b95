"""Frames that a generator reads, and that extensions encode and decode.

RFC 6455 §5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol

from ..framing import frames
from ..framing.masking import apply_mask
from .exceptions import PayloadTooBig

__all__ = ["Frame", "FrameExtension"]


class FrameExtension(Protocol):
    """An extension that encodes and decodes frames one by one."""

    def decode(self, frame: frames.Frame, *, max_size: int | None = None) -> frames.Frame:
        """Return a received frame as it was before the peer encoded it."""

    def encode(self, frame: frames.Frame) -> frames.Frame:
        """Return a frame as it is sent."""


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
        """Read a frame, as a generator that waits for bytes.

        Args:
            read_exact: waits for that many bytes and returns them.
            mask: whether the frame has to be masked, as a client's.
            max_size: the limit of the payload in bytes; None for no limit.
            extensions: decode the frame, the last one negotiated first.

        Raises:
            ProtocolError: if the frame breaks a rule.
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
            data = apply_mask(data, header.key)
        frame: frames.Frame = cls(header.opcode, data, header.fin, header.rsv1)
        for extension in reversed(extensions or ()):
            frame = extension.decode(frame, max_size=max_size)
        frame.check()
        return frame

    def serialize(self, *, mask: bool, extensions: Sequence[FrameExtension] | None = None) -> bytes:
        """Return the frame as sent.

        Args:
            mask: whether to mask it, as a client must.
            extensions: encode the frame, the first one negotiated first.

        Raises:
            ProtocolError: if a control frame is fragmented or too long.
            TypeError: if the payload is not bytes-like.
        """
        self.check()
        frame: frames.Frame = self
        for extension in extensions or ():
            frame = extension.encode(frame)
        return frames.Frame.serialize(frame, mask=mask)
