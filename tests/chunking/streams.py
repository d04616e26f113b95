"""A stream of frames as a peer builds it, apart from the library; and what an end makes of it."""

import dataclasses
import itertools
import zlib
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from ws6455.framing.deflate import PerMessageDeflate
from ws6455.framing.frames import Close, Frame, Opcode
from ws6455.protocol.protocol import SEND_EOF, Protocol
from ws6455.protocol.states import Side, State

KEY = b"\x9a\x00\xff\x5c"
TAIL = b"\x00\x00\xff\xff"
MAX_SIZE = 5000
MAX_FRAGMENTS = 6
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def wire_frame(first: int, payload: bytes, masked: bool, length: int | None = None) -> bytes:
    """Build a frame by §5.2, whatever is in it; a given length replaces the true one."""
    size = len(payload) if length is None else length
    bit = 0x80 if masked else 0
    if size < 126:
        header = bytes([first, bit | size])
    elif size < 1 << 16:
        header = bytes([first, bit | 126]) + size.to_bytes(2, "big")
    else:
        header = bytes([first, bit | 127]) + size.to_bytes(8, "big")
    if masked:
        header += KEY
        payload = bytes(byte ^ KEY[i % 4] for i, byte in enumerate(payload))
    return header + payload


class Deflater:
    """A peer's compressor, straight from zlib."""

    def __init__(self, takeover: bool) -> None:
        self.takeover = takeover
        self._new()

    def _new(self) -> None:
        self._compressor = zlib.compressobj(wbits=-15)

    def compress(self, data: bytes) -> bytes:
        wire = self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        if not self.takeover:
            self._new()
        return wire.removesuffix(TAIL) or b"\x00"


# What a peer does, as data: Hypothesis can shrink it, and both roles can say it -----------------


@dataclasses.dataclass(frozen=True)
class Control:
    opcode: int
    data: bytes


@dataclasses.dataclass(frozen=True)
class Message:
    text: bool
    data: bytes
    compressed: bool
    cuts: tuple[int, ...]  # where it is fragmented
    between: tuple[Control, ...]  # control frames between the fragments


controls = st.builds(Control, st.sampled_from([0x9, 0xA]), st.binary(max_size=125))
small = st.text(max_size=20).map(str.encode)
large = st.sampled_from([b"a" * 125, b"a" * 126, b"\xe2\x82\xac" * 500, bytes(range(128)) * 9])
messages = st.builds(
    Message,
    st.booleans(),
    small | large,
    st.booleans(),
    st.lists(st.integers(0, 200), max_size=4).map(tuple),
    st.lists(controls, max_size=3).map(tuple),
)
closes = st.builds(
    lambda code, reason: code.to_bytes(2, "big") + reason.encode(),
    st.sampled_from([1000, 1001, 1009, 3000, 4999]),
    st.text(max_size=8),
) | st.just(b"")
# Frames that are violations: first byte, payload, whether masked as it should be, length.
violations = st.sampled_from(
    [
        (0x83, b"", True, None),
        (0x8B, b"", True, None),
        (0xA1, b"a", True, None),
        (0x91, b"a", True, None),
        (0xC9, b"a", True, None),
        (0x80, b"a", True, None),
        (0x00, b"", True, None),
        (0x09, b"", True, None),
        (0x81, b"a", False, None),
        (0x89, b"a" * 126, True, None),
        (0x81, b"a\xff and more", True, None),
        (0x81, b"\xed\xa0\x80", True, None),
        (0x81, b"cut \xe2\x82", True, None),
        (0x82, b"", True, MAX_SIZE + 1),
        (0x82, b"", True, 1 << 63),
        (0x82, b"", True, (1 << 64) - 1),
        (0x88, b"\x03", True, None),
        (0x88, b"\x03\xed", True, None),
        (0x88, b"\x03\xe8\xff", True, None),
        (0xC2, b"\x07 not deflate", True, None),
    ]
)
Violation = tuple[int, bytes, bool, int | None]


def wire_message(message: Message, masked: bool, deflater: Deflater | None) -> bytes:
    data, first = message.data, 0x01 if message.text else 0x02
    if message.compressed and deflater is not None:
        data, first = deflater.compress(data), first | 0x40
    edges = [0, *sorted(min(cut, len(data)) for cut in message.cuts), len(data)]
    stream = b""
    for index in range(len(edges) - 1):
        fin = 0x80 if index == len(edges) - 2 else 0
        opcode = 0x00 if index else first
        stream += wire_frame(fin | opcode, data[edges[index] : edges[index + 1]], masked)
        if not fin and index < len(message.between):
            control = message.between[index]
            stream += wire_frame(0x80 | control.opcode, control.data, masked)
    return stream


def wire_stream(
    steps: Iterable[Message | Control],
    end: bytes | Violation | None,
    masked: bool,
    deflater: Deflater | None,
) -> bytes:
    """Build a stream; its end is a Close frame's payload, a violation, or nothing."""
    stream = b""
    for step in steps:
        if isinstance(step, Control):
            stream += wire_frame(0x80 | step.opcode, step.data, masked)
        else:
            stream += wire_message(step, masked, deflater)
    if isinstance(end, bytes):
        return stream + wire_frame(0x88, end, masked) + wire_frame(0x81, b"after", masked)
    if end is not None:
        first, payload, right, length = end
        stream += wire_frame(first, payload, masked is right, length)
        stream += wire_frame(0x81, b"after", masked)
    return stream


# What an end makes of it ------------------------------------------------------------------------


@dataclasses.dataclass
class Outcome:
    """All that can be seen of an end: what it delivers, replies, and how it ends."""

    data: list[Frame]
    control: list[Frame]
    replies: bytes
    violation: tuple[type[Exception], str] | None
    state: State
    rcvd: Close | None
    sent: Close | None
    eof: bool


def end_of(role: Side, compression: bool, takeover: bool, **options: Any) -> Protocol:
    protocol = Protocol(role, max_size=MAX_SIZE, max_fragments=MAX_FRAGMENTS, **options)
    if compression:
        protocol.deflate = PerMessageDeflate(not takeover, not takeover, 15, 15)
    return protocol


def feed(protocol: Protocol, pieces: Iterable[bytes]) -> Outcome:
    """Feed pieces, taking the events and the replies after each as a shell does."""
    data: list[Frame] = []
    control: list[Frame] = []
    writes: list[bytes] = []
    for piece in pieces:
        protocol.receive_data(piece)
        for event in protocol.events_received():
            if isinstance(event, Frame):
                (control if event.opcode >= Opcode.CLOSE else data).append(event)
        writes += protocol.data_to_send()
    violation = protocol.violation
    return Outcome(
        data,
        control,
        b"".join(writes),
        None if violation is None else (type(violation), str(violation)),
        protocol.state,
        protocol.close_rcvd,
        protocol.close_sent,
        SEND_EOF in writes,
    )


def cut(data: bytes, edges: Iterable[int]) -> list[bytes]:
    """Cut data at positions; those beyond its end wrap around."""
    at = sorted({edge % (len(data) + 1) for edge in edges} | {0, len(data)})
    return [data[start:stop] for start, stop in itertools.pairwise(at)]
