"""A message serialized and compressed once for many connections.

RFC 6455 §5.2, RFC 7692 §7.2.1.
"""

from __future__ import annotations

from .deflate import PerMessageDeflate
from .frames import Opcode, serialize_frame

__all__ = ["SharedMessage"]

_FIN, _RSV1 = 0x80, 0x40


class SharedMessage:
    """A message to broadcast; connections share its serialized frames.

    Args:
        data: the payload.
        text: whether it is Text rather than Binary.
    """

    def __init__(self, data: bytes, text: bool) -> None:
        self.data = data
        self.opcode = Opcode.TEXT if text else Opcode.BINARY
        # The unmasked frame for a connection without compression.
        self.plain: bytes = serialize_frame(_FIN | self.opcode, data, False)
        self._compressed: dict[object, bytes] = {}

    def compressed(self, deflate: PerMessageDeflate) -> bytes:
        """Return the unmasked frame for a connection with compression.

        The compressed payload does not refer to earlier messages, so that it is the same for all
        connections with the same parameters. Their own compression contexts are reset.

        Args:
            deflate: the extension of the connection.
        """
        frame = self._compressed.get(deflate.shared_key)
        if frame is None:
            payload = deflate.compress_alone(self.data)
            frame = serialize_frame(_FIN | _RSV1 | self.opcode, payload, False)
            self._compressed[deflate.shared_key] = frame
        deflate.forget_sent()
        return frame
