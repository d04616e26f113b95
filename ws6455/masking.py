"""XOR a payload with a 4-byte masking key.

Floor 0: imports nothing of the package. RFC 6455 §5.3: octet i of the result is octet i of
the payload XOR octet ``i mod 4`` of the key; masking and unmasking are the same.
"""

__all__ = ["apply_mask"]

# Below this many bytes one XOR of two integers is fastest, above it four strided translations:
# the integers' conversions grow a little faster than linearly, the translations cost a start.
INTEGER_LIMIT = 768

_XOR_TABLES: list[bytes] = []


def _xor_tables() -> list[bytes]:
    """Table `k` maps every byte `b` to ``b ^ k``: 64 KiB, made when first needed."""
    if not _XOR_TABLES:
        _XOR_TABLES.extend(bytes(byte ^ key for byte in range(256)) for key in range(256))
    return _XOR_TABLES


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
    tables = _xor_tables()
    masked = bytearray(size)
    for index in range(4):
        masked[index::4] = data[index::4].translate(tables[key[index]])
    return bytes(masked)
