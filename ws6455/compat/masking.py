"""Masking with the name that `websockets` gives the key.

RFC 6455 §5.3.
"""

from __future__ import annotations

from ..framing import masking
from ..typing import BytesLike

__all__ = ["apply_mask"]


def apply_mask(data: BytesLike, mask: bytes | bytearray) -> bytes:
    """Mask or unmask a payload.

    Args:
        data: the payload.
        mask: the masking key, 4 bytes.

    Raises:
        ValueError: if the key does not have 4 bytes.
    """
    return masking.apply_mask(bytes(data), bytes(mask))
