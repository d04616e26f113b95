"""XOR a payload with a 4-byte masking key.

Floor 0: imports nothing of the package. RFC 6455 §5.3: octet i of the result is octet i of
the payload XOR octet ``i mod 4`` of the key; masking and unmasking are the same.
"""

import functools
from types import ModuleType

__all__ = ["apply_mask"]

# Up to this many bytes one XOR of two integers is fastest, above it four strided translations:
# the integers' conversions grow a little faster than linearly, the translations cost a start.
INTEGER_LIMIT = 768
# From this many on numpy is faster than either, if it is installed.
NUMPY_LIMIT = 1024

_XOR_TABLES: list[bytes] = []


def _xor_tables() -> list[bytes]:
    """Table `k` maps every byte `b` to ``b ^ k``: 64 KiB, made when first needed."""
    if not _XOR_TABLES:
        _XOR_TABLES.extend(bytes(byte ^ key for byte in range(256)) for key in range(256))
    return _XOR_TABLES


@functools.cache
def _numpy() -> ModuleType | None:
    """Import numpy when the first large payload comes: it takes longer than this library."""
    try:
        import numpy
    except ImportError:
        return None
    return numpy


def apply_mask(data: bytes, key: bytes) -> bytes:
    """Mask or unmask a payload.

    Args:
        data: the payload.
        key: the masking key, 4 bytes.

    Raises:
        ValueError: if the key does not have 4 bytes.
    """
    if len(key) != 4:
        raise ValueError(f"masking key must have 4 bytes, not {len(key)}")
    size = len(data)
    if size <= INTEGER_LIMIT:
        pad = (key * ((size + 3) >> 2))[:size]
        return (int.from_bytes(data) ^ int.from_bytes(pad)).to_bytes(size)
    if size >= NUMPY_LIMIT and (numpy := _numpy()) is not None:
        whole = size & ~3
        words = numpy.frombuffer(data, numpy.uint32, whole >> 2)
        tail = bytes(byte ^ pad for byte, pad in zip(data[whole:], key, strict=False))
        masked_words: bytes = (words ^ numpy.frombuffer(key, numpy.uint32)).tobytes()
        return masked_words + tail if tail else masked_words
    tables = _xor_tables()
    masked = bytearray(size)
    for index in range(4):
        masked[index::4] = data[index::4].translate(tables[key[index]])
    return bytes(masked)
