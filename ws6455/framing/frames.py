"""Parsing and serialization of frames; opcodes and close codes.

RFC 6455 §5.2 (the frame), §5.5 (control frames), §7.4 (close codes).
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import os
import struct
from typing import NamedTuple

from ..exceptions import InvalidPayloadData, ProtocolError, WebSocketException
from ..settings import setting
from .masking import apply_mask

__all__ = [
    "LARGE",
    "OK_CLOSE_CODES",
    "Close",
    "CloseCode",
    "Frame",
    "FrameHeader",
    "Opcode",
    "frame_parts",
    "parse_header",
    "serialize_frame",
    "truncate_reason",
]

MAX_HEADER_SIZE = 14
MAX_CONTROL_PAYLOAD = 125
MAX_REASON_SIZE = MAX_CONTROL_PAYLOAD - 2
# Size in bytes from which extra work to avoid copying a payload pays off.
LARGE = 1 << 14
# Limit for a payload in a log line, in characters.
MAX_LOG_SIZE = setting("MAX_LOG_SIZE", 75)


class Opcode(enum.IntEnum):
    """Opcodes (§5.2)."""

    CONT = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


_OPCODES = {opcode.value: opcode for opcode in Opcode}


class CloseCode(enum.IntEnum):
    """Close codes (§7.4.1 and the IANA registry)."""

    NORMAL_CLOSURE = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    # 1004 is reserved
    NO_STATUS_RCVD = 1005
    ABNORMAL_CLOSURE = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014
    TLS_HANDSHAKE = 1015


# Codes of a connection that closed without an error.
OK_CLOSE_CODES = frozenset(
    {CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD}
)
# §7.4.1: these must not be sent in a Close frame.
INTERNAL_CLOSE_CODES = frozenset(
    {CloseCode.NO_STATUS_RCVD, CloseCode.ABNORMAL_CLOSURE, CloseCode.TLS_HANDSHAKE}
)
_CLOSE_EXPLANATIONS = {
    1000: "OK",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "no status received [internal]",
    1006: "abnormal closure [internal]",
    1007: "invalid frame payload data",
    1008: "policy violation",
    1009: "message too big",
    1010: "mandatory extension",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
    1015: "TLS handshake failure [internal]",
}


@dataclasses.dataclass(slots=True)
class Close:
    """The payload of a Close frame (§5.5.1).

    Attributes:
        code: the close code; 1005 stands for an empty payload.
        reason: at most 123 bytes of UTF-8.
    """

    code: int
    reason: str

    def __str__(self) -> str:
        if 3000 <= self.code < 4000:
            explanation = "registered"
        elif 4000 <= self.code < 5000:
            explanation = "private use"
        else:
            explanation = _CLOSE_EXPLANATIONS.get(self.code, "unknown")
        return f"{int(self.code)} ({explanation}) {self.reason}".rstrip()

    @classmethod
    def parse(cls, data: bytes) -> Close:
        """Parse the payload of a Close frame.

        Raises:
            ProtocolError: if the payload is one byte long, or the code must not be sent.
            InvalidPayloadData: if the reason is not UTF-8.
        """
        if not data:
            return cls(CloseCode.NO_STATUS_RCVD, "")
        if len(data) == 1:
            raise ProtocolError("close frame too short")
        close = cls(int.from_bytes(data[:2], "big"), "")
        close.check()
        try:
            close.reason = data[2:].decode()
        except UnicodeDecodeError as exc:
            raise InvalidPayloadData("close reason isn't UTF-8") from exc
        return close

    def serialize(self) -> bytes:
        """Return the payload of a Close frame.

        Raises:
            ProtocolError: if the code must not be sent, or the reason is too long.
        """
        self.check()
        reason = self.reason.encode()
        if len(reason) > MAX_REASON_SIZE:
            raise ProtocolError("close reason exceeds 123 bytes")
        return int(self.code).to_bytes(2, "big") + reason

    def check(self) -> None:
        """Check that the code may be sent (§7.4.2).

        Raises:
            ProtocolError: if it must not.
        """
        known = self.code in _CLOSE_EXPLANATIONS and self.code not in INTERNAL_CLOSE_CODES
        if not known and not 3000 <= self.code < 5000:
            raise ProtocolError(f"invalid close code: {self.code}")


def truncate_reason(reason: str) -> str:
    """Return a close reason that fits into a Close frame (§5.5).

    Args:
        reason: the reason.

    Returns:
        The reason, if it has at most 123 bytes of UTF-8; otherwise its start, cut between
        characters, and ``…``.

    Raises:
        UnicodeEncodeError: if it contains a surrogate.
    """
    data = reason.encode()
    if len(data) <= MAX_REASON_SIZE:
        return reason
    mark = "…"
    return data[: MAX_REASON_SIZE - len(mark.encode())].decode(errors="ignore") + mark


class FrameHeader(NamedTuple):
    """The header of a frame (§5.2).

    Attributes:
        opcode: the opcode.
        fin: whether this is the final frame of its message.
        rsv1: the bit that marks the first frame of a compressed message (RFC 7692 §6).
        key: the masking key, 4 bytes, or None.
        length: the payload length in bytes.
        size: the size of the header in bytes.
    """

    opcode: Opcode
    fin: bool
    rsv1: bool
    key: bytes | None
    length: int
    size: int


def parse_header(data: bytes, masked: bool) -> FrameHeader | None:
    """Parse a frame header. A violation is reported as soon as its byte has arrived.

    Args:
        data: bytes from the start of the frame; bytes after the header are ignored.
        masked: True if the frame must be masked, as a client's; False if it must not (§5.1).

    Returns:
        The header, or None if more bytes are needed.

    Raises:
        ProtocolError: if the header violates the protocol.
    """
    if not data:
        return None
    first = data[0]
    opcode = _OPCODES.get(first & 0x0F)
    if opcode is None:
        raise ProtocolError(f"reserved opcode: {first & 0x0F:#x}")
    fin = first >= 0x80
    if first & 0x30:
        # §5.2: no supported extension defines a meaning for RSV2 or RSV3.
        raise ProtocolError("reserved bits must be 0")
    rsv1 = bool(first & 0x40)
    if opcode >= Opcode.CLOSE and not fin:
        raise ProtocolError("fragmented control frame")  # §5.4
    if opcode >= Opcode.CLOSE and rsv1:
        raise ProtocolError("reserved bits must be 0")  # RFC 7692 §6.1
    if len(data) < 2:
        return None
    second = data[1]
    if (second >= 0x80) is not masked:
        raise ProtocolError("incorrect masking")  # §5.1
    length = second & 0x7F
    if opcode >= Opcode.CLOSE and length > MAX_CONTROL_PAYLOAD:
        raise ProtocolError("control frame too long")  # §5.5
    size = 2
    if length >= 126:
        size = 4 if length == 126 else 10
        if len(data) < size:
            return None
        length = int.from_bytes(data[2:size], "big")
        # §5.2: the length has its shortest form; the most significant bit of 64 bits is 0.
        if length < (126 if size == 4 else 65536):
            raise ProtocolError("frame length isn't in its shortest form")
        if length >= 1 << 63:
            raise ProtocolError("frame length exceeds 63 bits")
    if not masked:
        return FrameHeader(opcode, fin, rsv1, None, length, size)
    if len(data) < size + 4:
        return None
    return FrameHeader(opcode, fin, rsv1, bytes(data[size : size + 4]), length, size + 4)


_pack_tiny = struct.Struct("!BB").pack
_pack_short = struct.Struct("!BBH").pack
_pack_long = struct.Struct("!BBQ").pack


# Masking keys not used yet. A system call for each would cost as much as building the frame.
_masking_keys: list[bytes] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_masking_keys.clear)  # the parent uses them


def _new_masking_key() -> bytes:
    """Return a random key that was not used for another frame (§5.3, §10.3)."""
    try:
        return _masking_keys.pop()
    except IndexError:
        fresh = os.urandom(1024)
        _masking_keys.extend([fresh[start : start + 4] for start in range(4, len(fresh), 4)])
        return fresh[:4]


def frame_parts(first: int, payload: bytes, masked: bool) -> tuple[bytes, ...]:
    """Build a frame (§5.2) in the pieces to write.

    Args:
        first: the first byte: FIN, RSV1 to RSV3 and the opcode.
        payload: the payload.
        masked: True to mask it, as a client must (§5.3), with a fresh key from the operating
            system's randomness.

    Returns:
        The frame in one piece; from :data:`LARGE` bytes of payload on, in order not to copy it,
        the header and the payload.
    """
    length = len(payload)
    if length < 126:
        if not masked:
            return (_pack_tiny(first, length) + payload,)
        header = _pack_tiny(first, 0x80 | length)
    elif length < 65536:
        header = _pack_short(first, (0x80 if masked else 0) | 126, length)
    else:
        header = _pack_long(first, (0x80 if masked else 0) | 127, length)
    if masked:
        key = _new_masking_key()
        header += key
        payload = apply_mask(payload, key)
    return (header + payload,) if length < LARGE else (header, payload)


def serialize_frame(first: int, payload: bytes, masked: bool) -> bytes:
    """Build a frame (§5.2) in one piece; see :func:`frame_parts`."""
    return b"".join(frame_parts(first, payload, masked))


@dataclasses.dataclass(slots=True)
class Frame:
    """A frame, unmasked and not compressed, as in the protocol's events.

    Attributes:
        opcode: the opcode.
        data: the payload.
        fin: whether this is the final frame of its message.
        rsv1, rsv2, rsv3: the reserved bits.
    """

    opcode: Opcode
    data: bytes
    fin: bool = True
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False

    def __str__(self) -> str:
        """Return a line for a log: opcode, payload (truncated and escaped), size."""
        if self.opcode is Opcode.TEXT:
            shown = repr(self.data[: 2 * MAX_LOG_SIZE].decode(errors="replace"))
        else:
            shown = self.data[: MAX_LOG_SIZE // 3].hex(" ") or "''"
        if self.opcode is Opcode.CLOSE:
            # A malformed payload is shown in hexadecimal: a log line must not raise.
            with contextlib.suppress(WebSocketException):
                shown = ascii(str(Close.parse(self.data)))
        if len(shown) > MAX_LOG_SIZE:
            tail = MAX_LOG_SIZE // 3 - 1
            shown = f"{shown[: MAX_LOG_SIZE - tail - 3]}...{shown[len(shown) - tail :]}"
        unit = "byte" if len(self.data) == 1 else "bytes"
        ending = "" if self.fin else ", continued"
        return f"{self.opcode.name} {shown} [{len(self.data)} {unit}{ending}]"

    def serialize(self, *, mask: bool) -> bytes:
        """Return the frame as sent.

        Args:
            mask: whether to mask it, as a client must.

        Raises:
            ProtocolError: if a control frame is fragmented or too long.
            TypeError: if the payload is not bytes-like.
        """
        self.check()
        reserved = self.rsv1 << 6 | self.rsv2 << 5 | self.rsv3 << 4
        first = self.fin << 7 | reserved | self.opcode
        # bytes() alone would make zeros of an int.
        return serialize_frame(first, bytes(memoryview(self.data)), mask)

    def check(self) -> None:
        """Check the rules for control frames (§5.5).

        Raises:
            ProtocolError: if the frame violates one.
        """
        if self.opcode >= Opcode.CLOSE:
            if len(self.data) > MAX_CONTROL_PAYLOAD:
                raise ProtocolError("control frame too long")
            if not self.fin:
                raise ProtocolError("fragmented control frame")
