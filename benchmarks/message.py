"""The bytes of the load: payloads, request and frames."""

import json
import random
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache

_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
_OFFER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

# All frames have the same masking key: the key does not affect the server's work.
_MASKING_KEY = b"\x37\xfa\x21\x3d"

# Large payloads repeat a block of this size in bytes: twice the window of a compressor.
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Message:
    """A message: payload size in bytes, type and compression."""

    size: int
    text: bool = False
    deflate: bool = False


@lru_cache(maxsize=1)
def _block() -> bytes:
    generator = random.Random(0)
    words = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india")
    records = bytearray()
    while len(records) < _BLOCK:
        record = {
            "id": generator.randrange(1 << 20),
            "name": " ".join(generator.choices(words, k=3)),
            "at": [round(generator.uniform(-180, 180), 5), round(generator.uniform(-90, 90), 5)],
            "open": generator.random() < 0.5,
        }
        records += json.dumps(record).encode() + b"\n"
    return bytes(records[:_BLOCK])


def payload(size: int) -> bytes:
    """Return a payload of ``size`` bytes, always the same: lines of JSON in ASCII."""
    return (_block() * (size // _BLOCK + 1))[:size]


def request(port: int, deflate: bool = False) -> bytes:
    """Return the request of an opening handshake, with or without permessage-deflate."""
    lines = [
        "GET / HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {_KEY}",
        "Sec-WebSocket-Version: 13",
        *([f"Sec-WebSocket-Extensions: {_OFFER}"] if deflate else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def frame(message: Message) -> bytes:
    """Return the message as one masked frame."""
    data = payload(message.size)
    first = 0x81 if message.text else 0x82
    if message.deflate:
        compressor = zlib.compressobj(6, wbits=-15)
        data = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        data = data.removesuffix(b"\0\0\xff\xff")
        first |= 0x40
    size = len(data)
    keys = (_MASKING_KEY * (size // 4 + 1))[:size]
    masked = int.from_bytes(data) ^ int.from_bytes(keys)
    return masked_header(first, size) + _MASKING_KEY + masked.to_bytes(size)


def masked_header(first: int, size: int) -> bytes:
    """Build the header of a masked frame, up to its key (RFC 6455 §5.2)."""
    if size < 126:
        return struct.pack("!BB", first, 0x80 | size)
    if size < 1 << 16:
        return struct.pack("!BBH", first, 0x80 | 126, size)
    return struct.pack("!BBQ", first, 0x80 | 127, size)
