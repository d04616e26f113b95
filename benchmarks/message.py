"""The bytes of the load: its payloads, its request and its frames."""

import json
import random
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache

_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
_OFFER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

# One masking key does for all frames: to the server any is as good as another.
_MASKING_KEY = b"\x37\xfa\x21\x3d"

# What large payloads repeat, in bytes: twice what a compressor looks back on.
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Message:
    """What is sent over and over: the size of its payload in bytes, its type, its compression."""

    size: int
    text: bool = False
    deflate: bool = False


@lru_cache(maxsize=1)
def _block() -> bytes:
    chance = random.Random(0)
    words = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india")
    records = bytearray()
    while len(records) < _BLOCK:
        record = {
            "id": chance.randrange(1 << 20),
            "name": " ".join(chance.choices(words, k=3)),
            "at": [round(chance.uniform(-180, 180), 5), round(chance.uniform(-90, 90), 5)],
            "open": chance.random() < 0.5,
        }
        records += json.dumps(record).encode() + b"\n"
    return bytes(records[:_BLOCK])


def payload(size: int) -> bytes:
    """Give a payload of ``size`` bytes, always the same: lines of JSON, in ASCII."""
    return (_block() * (size // _BLOCK + 1))[:size]


def request(port: int, deflate: bool = False) -> bytes:
    """Give the client's side of the opening handshake, with or without permessage-deflate."""
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
    """Give the message as one masked frame."""
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
