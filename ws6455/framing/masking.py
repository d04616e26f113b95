"""XOR a payload with a 4-byte masking key.

RFC 6455 §5.3: octet i of the result is octet i of the payload XOR octet ``i mod 4`` of the key;
masking and unmasking are the same operation.
"""

import functools
import io
from types import ModuleType

__all__ = ["PAD_FACTORS", "PAD_SHIFTS", "apply_mask", "apply_mask_in_place", "rotate_key"]

# Up to this size in bytes, one XOR of two integers is fastest. Above it, four strided
# translations are: they cost less per byte, but more to begin with.
INTEGER_LIMIT = 1000
# From this size on, numpy is faster than either, if it is installed.
NUMPY_LIMIT = 2048
# Without numpy, masking in place works on copies of this size, which stay in the CPU cache.
_CHUNK_SIZE = 1 << 16

# Indexed by the size of a payload below 126 bytes. The key times the factor repeats the key; the
# right shift cuts the result to the size of the payload.
PAD_FACTORS = tuple(int.from_bytes(b"\0\0\0\1" * (size + 3 >> 2)) for size in range(126))
PAD_SHIFTS = tuple(8 * (-size % 4) for size in range(126))


@functools.cache  # threads may build them twice at first, but never get a part of them
def _xor_tables() -> tuple[bytes, ...]:
    """Return the tables: table `k` maps byte `b` to ``b ^ k``. 64 KiB, built on first use."""
    return tuple(bytes(byte ^ key for byte in range(256)) for key in range(256))


@functools.cache
def _numpy() -> ModuleType | None:
    """Import numpy for the first large payload; it takes longer to import than this library."""
    try:
        import numpy
    except ImportError:
        return None
    return numpy


def apply_mask(data: bytes | memoryview, key: bytes) -> bytes:
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
    if size < 126:
        pad_number = int.from_bytes(key) * PAD_FACTORS[size] >> PAD_SHIFTS[size]
        return (int.from_bytes(data) ^ pad_number).to_bytes(size)
    if size <= INTEGER_LIMIT:
        pad = (key * ((size + 3) >> 2))[:size]
        masked_number = int.from_bytes(data, "little") ^ int.from_bytes(pad, "little")
        return masked_number.to_bytes(size, "little")
    if size >= NUMPY_LIMIT and (numpy := _numpy()) is not None:
        words = numpy.frombuffer(data, numpy.uint64, size >> 3)
        masked_file = io.BytesIO(bytes(size))  # getvalue() does not copy
        with masked_file.getbuffer() as masked_view:
            masked_words = numpy.frombuffer(masked_view, numpy.uint64, size >> 3)
            numpy.bitwise_xor(words, numpy.frombuffer(key * 2, numpy.uint64), out=masked_words)
            del masked_words  # it holds a reference to the view
            masked_view[size & ~7 :] = apply_mask(data[size & ~7 :], key)
        return masked_file.getvalue()
    return bytes(_translate(data, key))


def _translate(data: bytes | memoryview, key: bytes) -> bytearray:
    # A bytearray: bytes.translate also checks whether anything changes, and takes half as long
    # again.
    masked = bytearray(data)
    tables = _xor_tables()
    for index in range(4):
        masked[index::4] = masked[index::4].translate(tables[key[index]])
    return masked


def apply_mask_in_place(payload: memoryview, start: int, end: int, key: bytes) -> None:
    """Mask or unmask a part of a payload in place.

    Args:
        payload: the payload, in memory aligned to 8 bytes.
        start: the index of the part's first byte.
        end: the index after the part's last byte.
        key: the masking key, 4 bytes, as it applies to the payload's first byte.
    """
    first = min(end, start + 7 & ~7)
    last = max(first, end & ~7)
    numpy = _numpy() if last - first >= NUMPY_LIMIT else None
    if numpy is None:
        for at in range(start, end, _CHUNK_SIZE):
            part = payload[at : min(at + _CHUNK_SIZE, end)]
            part[:] = _translate(part, rotate_key(key, at))
        return
    words = numpy.frombuffer(payload[first:last], numpy.uint64)
    words ^= numpy.frombuffer(key * 2, numpy.uint64)
    payload[start:first] = apply_mask(bytes(payload[start:first]), rotate_key(key, start))
    payload[last:end] = apply_mask(bytes(payload[last:end]), key)


def rotate_key(key: bytes, position: int) -> bytes:
    """Return the key rotated to apply from a position of the payload on."""
    shift = position & 3
    return key[shift:] + key[:shift]
