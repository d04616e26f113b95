"""Valid and invalid data for the wire: frames with any bits, heads with any headers.

RFC 6455 §4.1, §4.2.2 (the heads) and §5.2 (the frame). The library's own
:class:`~ws6455.framing.frames.Frame` rejects frames that violate the protocol; those of this
module do not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

from ..framing.masking import apply_mask
from ..protocol.handshake import accept_key, generate_key

__all__ = ["LengthBits", "RawFrame", "opening_request", "opening_response"]

#: The three forms of a frame's length (§5.2).
LengthBits = Literal[7, 16, 64]


@dataclasses.dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame with any bits.

    Example::

        RawFrame(0x3, b"reserved", rsv=0b100).serialize()

    Attributes:
        opcode: 0 to 15.
        data: the payload, not masked.
        fin: the FIN bit.
        rsv: RSV1, RSV2 and RSV3 as a number of three bits: ``0b100`` is RSV1.
        key: the masking key, 4 bytes; None for an unmasked frame.
        length: the length in the header, if it is not that of the payload.
        length_bits: the form of the length; None for the shortest form, which §5.2 requires.
    """

    opcode: int
    data: bytes = b""
    fin: bool = True
    rsv: int = 0
    key: bytes | None = None
    length: int | None = None
    length_bits: LengthBits | None = None

    def serialize(self) -> bytes:
        """Return the frame as sent.

        Raises:
            OverflowError: if a number does not fit into its bits.
            ValueError: if the key does not have 4 bytes.
        """
        length = len(self.data) if self.length is None else self.length
        bits = self.length_bits or _shortest_form(length)
        if not 0 <= self.opcode < 16 or not 0 <= self.rsv < 8 or (bits == 7 and length > 125):
            raise OverflowError(f"opcode, rsv or length has too many bits: {self}")
        first = self.fin << 7 | self.rsv << 4 | self.opcode
        second = {7: length, 16: 126, 64: 127}[bits]
        extended = b"" if bits == 7 else length.to_bytes(bits // 8, "big")
        if self.key is None:
            return bytes([first, second]) + extended + self.data
        masked = apply_mask(self.data, self.key)
        return bytes([first, second | 0x80]) + extended + self.key + masked

    @classmethod
    def parse(cls, data: bytes | bytearray) -> tuple[RawFrame, int] | None:
        """Parse a frame with any bits from the start of `data`.

        Returns:
            The frame and its size in bytes; None if the frame is incomplete. `length` is None;
            `length_bits` is None if the length has its shortest form.
        """
        if len(data) < 2:
            return None
        first, second = data[0], data[1]
        bits: LengthBits = 7
        size, length = 2, second & 0x7F
        if length >= 126:
            bits = 16 if length == 126 else 64
            size += bits // 8
            length = int.from_bytes(data[2:size], "big")
        key_at, size = size, size + (4 if second & 0x80 else 0)
        # In this order: the length is known only once its own bytes have arrived.
        if len(data) < size or len(data) < size + length:
            return None
        key = bytes(data[key_at:size]) or None
        payload = bytes(data[size : size + length])
        frame = cls(
            first & 0x0F,
            payload if key is None else apply_mask(payload, key),
            fin=bool(first & 0x80),
            rsv=first >> 4 & 0b111,
            key=key,
            length_bits=None if bits == _shortest_form(length) else bits,
        )
        return frame, size + length


def _shortest_form(length: int) -> LengthBits:
    if length < 126:
        return 7
    return 16 if length < 1 << 16 else 64


def opening_request(path: str = "/", headers: Mapping[str, str | None] | None = None) -> bytes:
    """Return a client's opening handshake (§4.1), valid except for the changes.

    Example::

        opening_request("/chat", {"Origin": "http://evil", "Sec-WebSocket-Version": None})

    Args:
        path: the request target, sent unchanged.
        headers: headers to add or replace; None removes a header. A name in another case adds a
            header.
    """
    valid = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": generate_key(),
        "Sec-WebSocket-Version": "13",
    }
    return _head(f"GET {path} HTTP/1.1", valid, headers)


def opening_response(request: str, headers: Mapping[str, str | None] | None = None) -> bytes:
    """Return a server's opening handshake (§4.2.2), valid except for the changes.

    Example::

        opening_response(await peer.head(), {"Sec-WebSocket-Accept": "wrong"})

    Args:
        request: the head of the request, which contains the key.
        headers: see :func:`opening_request`.
    """
    key = ""
    for line in request.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "sec-websocket-key":
            key = value.strip()
    valid = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": accept_key(key),
    }
    return _head("HTTP/1.1 101 Switching Protocols", valid, headers)


def _head(
    start_line: str, valid: Mapping[str, str], changes: Mapping[str, str | None] | None
) -> bytes:
    """Return a head in Latin-1, which can encode every byte."""
    headers = {**valid, **(changes or {})}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([start_line, *lines, "", ""]).encode("latin-1")
