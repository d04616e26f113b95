"""How the bytes are cut makes no difference, and no bytes at all raise anything.

A stream of frames is built here by hand, apart from the library, and fed in pieces to an end of
each role; the whole stream at once, which takes the fast path where it can, and single bytes,
which never do, are each other's oracle.
"""

import dataclasses
import itertools
import os
import random
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ws6455 import frames, masking
from ws6455.compression import ClientPerMessageDeflateFactory
from ws6455.deflate import PerMessageDeflate
from ws6455.errors import WebSocketException
from ws6455.frames import Close, Frame, Opcode
from ws6455.handshake import accept_key
from ws6455.http11 import Request
from ws6455.opening import ClientProtocol, ServerProtocol
from ws6455.protocol import SEND_EOF, Protocol, Side, State
from ws6455.uri import parse_uri

KEY = b"\x9a\x00\xff\x5c"
TAIL = b"\x00\x00\xff\xff"
MAX_SIZE = 5000
MAX_FRAGMENTS = 6


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


@pytest.fixture
def fixed_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    # A client's replies can be compared only if they are masked alike.
    monkeypatch.setattr(os, "urandom", bytes)
    monkeypatch.setattr(frames, "_masking_keys", [])


@pytest.mark.usefixtures("fixed_masks")
@pytest.mark.parametrize("role", Side, ids=lambda role: role.name.lower())
@given(
    steps=st.lists(messages | controls, max_size=5),
    end=st.none() | closes | violations,
    edges=st.lists(st.integers(0, 1 << 16), max_size=12),
    compression=st.booleans(),
    takeover=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_any_split_of_the_bytes_gives_the_same(
    role: Side,
    steps: list[Message | Control],
    end: bytes | Violation | None,
    edges: list[int],
    compression: bool,
    takeover: bool,
) -> None:
    deflater = Deflater(takeover) if compression else None
    stream = wire_stream(steps, end, role is Side.SERVER, deflater)
    whole = feed(end_of(role, compression, takeover), [stream])
    single = [stream[index : index + 1] for index in range(len(stream))]
    for pieces in (cut(stream, edges), single):
        assert feed(end_of(role, compression, takeover), pieces) == whole
    # The stream says itself what is to come of it.
    if all(not isinstance(step, Message) or step.text for step in steps):
        expected = b"".join(step.data for step in steps if isinstance(step, Message))
        if all(not isinstance(step, Message) or len(step.cuts) < MAX_FRAGMENTS for step in steps):
            assert b"".join(frame.data for frame in whole.data) == expected
    if isinstance(end, bytes):
        assert whole.rcvd == whole.sent == Close.parse(end)
    elif end is not None and (compression or end[0] != 0xC2):
        assert whole.violation is not None
        assert whole.rcvd is None
        assert whole.sent is not None
        assert whole.sent.reason == whole.violation[1]
    assert all(b"after" not in frame.data for frame in whole.data)


@pytest.mark.usefixtures("fixed_masks")
@pytest.mark.parametrize("role", Side, ids=lambda role: role.name.lower())
@given(
    payloads=st.lists(
        st.tuples(st.booleans(), st.text(max_size=200) | st.sampled_from(["a" * 126, "a" * 1100])),
        max_size=8,
    ),
    tail=st.binary(max_size=12),
)
@settings(max_examples=80, deadline=None)
def test_the_fast_path_delivers_what_the_slow_path_does(
    role: Side, payloads: list[tuple[bool, str]], tail: bytes
) -> None:
    masked = role is Side.SERVER
    stream = b"".join(
        wire_frame(0x81 if text else 0x82, data.encode(), masked) for text, data in payloads
    )
    fast, slow = end_of(role, False, True), end_of(role, False, True)
    fast.receive_data(stream + tail)
    for index in range(len(stream + tail)):
        # A whole frame has two bytes at least.
        slow.receive_data((stream + tail)[index : index + 1])
    assert fast.messages == slow.messages
    assert fast.control_frames == slow.control_frames
    assert str(fast.violation) == str(slow.violation)
    expected = [data if text else data.encode() for text, data in payloads]
    assert list(fast.messages)[: len(expected)] == expected


# Received in place ------------------------------------------------------------------------------


def pieces_in_place(protocol: Protocol, data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """Receive into the room that is offered, as a transport does; yield what has no room."""
    reads = itertools.cycle(sizes)
    while data:
        room = protocol.room()
        size = min(next(reads), len(data), 1 << 16 if room is None else len(room))
        if room is None:
            yield data[:size]
        else:
            room[:size] = data[:size]
            room.release()
            protocol.receive_in_place(size)
            yield b""
        data = data[size:]


@pytest.mark.usefixtures("fixed_masks")
@pytest.mark.parametrize("numpy", [True, False], ids=["numpy", "pure"])
@pytest.mark.parametrize("role", Side, ids=lambda role: role.name.lower())
@given(
    text=st.booleans(),
    unit=st.sampled_from(["a", "\u20ac", "\U0001f600", "\u00e9x"]),
    size=st.integers(15_000, 150_000),
    bad_at=st.none() | st.integers(0, 150_000),
    cuts=st.lists(st.integers(0, 150_000), max_size=2),
    reads=st.lists(st.integers(1, 70_000), min_size=1, max_size=5),
)
@settings(max_examples=25, deadline=None)
def test_a_large_payload_received_in_place_is_the_same(
    role: Side,
    numpy: bool,
    text: bool,
    unit: str,
    size: int,
    bad_at: int | None,
    cuts: list[int],
    reads: list[int],
) -> None:
    data = (unit.encode() * size)[:size]
    if bad_at is not None:
        data = data[:bad_at] + b"\xff" + data[bad_at:]
    message = Message(text, data, False, tuple(cuts), (Control(0x9, b"between"),) * 2)
    stream = wire_message(message, role is Side.SERVER, None)
    stream += wire_frame(0x81, b"after", role is Side.SERVER)
    with pytest.MonkeyPatch.context() as patch:
        if not numpy:
            patch.setattr(masking, "_numpy", lambda: None)
        whole = feed(Protocol(role), [stream])
        protocol = Protocol(role)
        assert feed(protocol, pieces_in_place(protocol, stream, reads)) == whole


def test_most_of_a_large_payload_is_received_in_place() -> None:
    server = Protocol(Side.SERVER)
    stream = wire_frame(0x82, bytes(1_000_000), True)
    sizes = []
    for piece in pieces_in_place(server, stream, [50_000]):
        server.receive_data(piece)
        sizes.append(len(piece))
    assert sum(sizes) < 70_000  # the header and what came with it, and the little at the end
    assert list(server.messages) == [bytes(1_000_000)]


def test_room_grows_with_what_comes_and_not_with_what_is_announced() -> None:
    server = Protocol(Side.SERVER, max_size=None)
    server.receive_data(wire_frame(0x82, b"", True, 1 << 62) + bytes(1000))
    rooms = []
    for _ in range(3):
        room = server.room()
        assert room is not None
        rooms.append(len(room))
        room.release()
        server.receive_in_place(rooms[-1])
    assert rooms[0] < 1 << 17
    assert rooms[2] < 1 << 24


def test_there_is_no_room_for_what_has_to_be_looked_at() -> None:
    server = end_of(Side.SERVER, True, True)
    assert server.room() is None
    server.receive_data(wire_frame(0xC2, b"", True, 4000) + b"xx")  # compressed
    assert server.room() is None
    server = Protocol(Side.SERVER)
    server.receive_data(wire_frame(0x82, b"", True, 1000)[:-1])  # a header, but for a byte
    assert server.room() is None
    server.receive_data(KEY[-1:] + bytes(10))  # a small frame
    assert server.room() is None
    server = Protocol(Side.SERVER)
    server.receive_data(wire_frame(0x82, b"", True, 100_000) + bytes(10))
    with server.room() or memoryview(b""):
        assert server.room() is not None
    server.fail(1011)
    assert server.room() is None  # nothing is read any more
    server.receive_in_place(10)
    assert not server.messages


# Glued to the opening handshake -----------------------------------------------------------------

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def stream_after_the_head(masked: bool) -> bytes:
    return wire_stream(
        [
            Message(True, "\u20ac".encode(), False, (), ()),
            Control(0x9, b"ping"),
            Message(True, b"in two", False, (3,), (Control(0x9, b"between"),)),
        ],
        b"\x03\xe8bye",
        masked,
        None,
    )


@pytest.mark.usefixtures("fixed_masks")
@pytest.mark.parametrize("step", [0, 1, 2, 7])
def test_a29_every_split_of_a_request_and_its_frames(step: int) -> None:
    stream = stream_after_the_head(masked=True)
    expected = feed(end_of(Side.SERVER, False, True), [stream])
    data = REQUEST + stream
    for start in range(len(data) + 1) if step == 0 else [0]:
        server = ServerProtocol()
        replies = b""
        frames: list[Frame] = []
        pieces = [data[:start], data[start:]] if step == 0 else cut(data, range(0, len(data), step))
        for piece in pieces:
            server.receive_data(piece)
            events = server.events_received()
            if events and isinstance(events[0], Request):
                server.send_response(server.accept(events[0]))
                events += server.events_received()
            frames += [event for event in events if isinstance(event, Frame)]
            replies += b"".join(server.data_to_send())
        head, _, replies = replies.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert replies == expected.replies
        assert [f for f in frames if f.opcode < Opcode.CLOSE] == expected.data
        assert [f for f in frames if f.opcode >= Opcode.CLOSE] == expected.control
        assert (server.state, server.close_rcvd) == (expected.state, expected.rcvd)


@pytest.mark.usefixtures("fixed_masks")
@pytest.mark.parametrize("step", [0, 1, 2, 7])
def test_a29_every_split_of_a_response_and_its_frames(step: int) -> None:
    stream = stream_after_the_head(masked=False)
    expected = feed(end_of(Side.CLIENT, False, True), [stream])
    key = "AAAAAAAAAAAAAAAAAAAAAA=="  # what os.urandom gives here
    head = "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    data = f"{head}{accept_key(key)}\r\n\r\n".encode() + stream
    for start in range(len(data) + 1) if step == 0 else [0]:
        client = ClientProtocol(parse_uri("ws://h/"))
        client.send_request(client.connect())
        client.data_to_send()
        pieces = [data[:start], data[start:]] if step == 0 else cut(data, range(0, len(data), step))
        assert feed(client, pieces) == expected
        assert client.handshake_exc is None


# Any bytes at all -------------------------------------------------------------------------------


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Flip, drop, double or insert a few bytes."""
    mutable = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutable) + 1)
        kind = chance.randrange(4)
        if kind == 0 and at < len(mutable):
            mutable[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del mutable[at : at + chance.randint(1, 8)]
        elif kind == 2:
            mutable[at:at] = mutable[at : at + chance.randint(1, 20)]
        else:
            mutable[at:at] = chance.randbytes(chance.randint(1, 6))
    return bytes(mutable)


def feed_noise(protocol: Protocol, data: bytes, chance: random.Random) -> None:
    """Feed bytes and the end of the stream; nothing may be raised."""
    for piece in cut(data, (chance.randrange(len(data) + 1) for _ in range(3))):
        protocol.receive_data(piece)
        for event in protocol.events_received():
            if isinstance(protocol, ServerProtocol) and isinstance(event, Request):
                protocol.send_response(protocol.accept(event))
            str(event)
        protocol.data_to_send()
    protocol.receive_eof()
    protocol.data_to_send()
    assert protocol.state is State.CLOSED
    if protocol.violation is not None:
        assert isinstance(protocol.violation, WebSocketException)
        assert protocol.close_sent is not None
    assert str(protocol.close_exc)


@pytest.mark.parametrize("role", Side, ids=lambda role: role.name.lower())
@pytest.mark.parametrize("compression", [False, True])
def test_noise_is_consumed_or_recorded_as_a_violation(role: Side, compression: bool) -> None:
    chance = random.Random(f"{role}{compression}")
    stream = wire_stream(
        [
            Message(True, "h\xe9llo".encode() * 40, True, (5, 50), (Control(0x9, b"ping"),)),
            Message(False, bytes(300), True, (), ()),
            Control(0xA, b""),
            Message(True, b"Hello", False, (), ()),
        ],
        b"\x03\xe8bye",
        role is Side.SERVER,
        Deflater(True) if compression else None,
    )
    violated = 0
    for round_number in range(1200):
        if round_number % 3:
            data = mutated(stream, chance)
        else:
            data = chance.randbytes(chance.randint(1, 60))
        protocol = end_of(role, compression, True)
        feed_noise(protocol, data, chance)
        violated += protocol.violation is not None
    assert 600 < violated < 1200


@pytest.mark.parametrize("role", Side, ids=lambda role: role.name.lower())
def test_noise_in_the_opening_handshake(role: Side) -> None:
    chance = random.Random(f"opening {role}")
    head = REQUEST
    if role is Side.CLIENT:
        head = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n"
        )
    refused = 0
    for round_number in range(800):
        protocol: ServerProtocol | ClientProtocol
        if role is Side.SERVER:
            protocol, data = ServerProtocol(), head
        else:
            protocol = ClientProtocol(
                parse_uri("ws://h/"), extensions=[ClientPerMessageDeflateFactory()]
            )
            data = head.replace(b"%b", accept_key(protocol.key).encode())
        if round_number % 4 == 0:
            data = chance.randbytes(chance.randint(1, 60)) + b"\r\n\r\n"
        elif round_number % 4 < 3:
            data = mutated(data, chance)
        feed_noise(protocol, data + wire_frame(0x81, b"a", role is Side.SERVER), chance)
        refused += protocol.handshake_exc is not None
    assert 300 < refused < 800
