"""One message for many connections: its frames are built, and compressed, once.

Floor 2: imports deflate and frames. RFC 6455 §5.2, RFC 7692 §7.2.1.
"""

from __future__ import annotations

from .deflate import PerMessageDeflate
from .frames import Opcode, serialize_frame

__all__ = ["SharedMessage"]

_FIN, _RSV1 = 0x80, 0x40


class SharedMessage:
    """A message for many connections: its frames are built once.

    Args:
        data: the payload.
        text: whether it is Text rather than Binary.
    """

    def __init__(self, data: bytes, text: bool) -> None:
        self.data = data
        self.opcode = Opcode.TEXT if text else Opcode.BINARY
        self._frames: dict[object, bytes] = {}

    def frame(self, deflate: PerMessageDeflate | None) -> bytes:
        """Return the unmasked frame for a connection, compressed as it has negotiated.

        The compressed form refers to nothing before it. So everybody with the same window can
        read it, and each one's own compressor starts afresh after it.
        """
        key = None if deflate is None else deflate.shared_key
        frame = self._frames.get(key)
        if frame is None:
            first = _FIN | self.opcode
            if deflate is None:
                frame = serialize_frame(first, self.data, False)
            else:
                frame = serialize_frame(first | _RSV1, deflate.compress_alone(self.data), False)
            self._frames[key] = frame
        if deflate is not None:
            deflate.forget_sent()
        return frame
