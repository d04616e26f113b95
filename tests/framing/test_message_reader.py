"""Tests of ws6455.framing.message_reader: order of fragments, UTF-8, limits."""

import tracemalloc
import zlib
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ws6455.exceptions import InvalidPayloadData, PayloadTooBig, ProtocolError, TooManyFragments
from ws6455.framing.deflate import PerMessageDeflate
from ws6455.framing.frames import Frame, FrameHeader, Opcode
from ws6455.framing.message_reader import Message, MessageReader

CONT, TEXT, BINARY = Opcode.CONT, Opcode.TEXT, Opcode.BINARY
MIB = 1 << 20


def header(opcode: Opcode, length: int, fin: bool = True, compressed: bool = False) -> FrameHeader:
    return FrameHeader(opcode, fin, compressed, None, length, 2)


def reader_of(
    max_message_size: int | None = MIB,
    max_fragment_size: int | None = None,
    max_fragments: int | None = None,
    compression: bool = False,
) -> MessageReader:
    reader = MessageReader(max_message_size, max_fragment_size, max_fragments)
    if compression:
        reader.deflate = PerMessageDeflate(False, False, 15, 15)
    return reader


def read(
    reader: MessageReader,
    opcode: Opcode,
    data: bytes,
    fin: bool = True,
    compressed: bool = False,
    size: int = 1 << 16,
) -> Message:
    """Read one frame whose payload arrives in pieces of `size` bytes."""
    reader.begin(header(opcode, len(data), fin, compressed))
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    return reader.end()


def read_all(
    reader: MessageReader,
    frames: Iterable[tuple[Opcode, bytes, bool]],
    compressed: bool = False,
    size: int = 1 << 16,
) -> list[Message]:
    """Read the frames of one message."""
    return [
        read(reader, opcode, data, fin, compressed and opcode is not CONT, size)
        for opcode, data, fin in frames
    ]


def payload_of(message: Message) -> bytes:
    if isinstance(message, str):
        return message.encode()
    return message.data if isinstance(message, Frame) else message


def peak_of(call: Callable[[], object]) -> int:
    """Return the peak of allocated bytes during a call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# Fragments --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 100])
def test_whole_messages(size: int) -> None:
    reader = reader_of()
    assert read(reader, TEXT, "h\xe9llo \U0001f600".encode(), size=size) == "h\xe9llo \U0001f600"
    assert read(reader, BINARY, b"\xff\x00", size=size) == b"\xff\x00"
    assert read(reader, TEXT, b"") == ""
    assert read(reader, BINARY, b"") == b""
    assert reader.opcode is None


@pytest.mark.parametrize("size", [1, 100])
def test_fragments(size: int) -> None:
    reader = reader_of()
    euro = "\u20ac".encode()
    assert read(reader, TEXT, b"a" + euro[:1], False, size=size) == Frame(TEXT, b"a\xe2", False)
    assert reader.opcode is not None
    assert read(reader, CONT, b"", False, size=size) == Frame(CONT, b"", False)
    assert read(reader, CONT, euro[1:], False, size=size) == Frame(CONT, euro[1:], False)
    assert read(reader, CONT, b"", size=size) == Frame(CONT, b"")
    assert reader.opcode is None
    assert read(reader, BINARY, b"\xff", False) == Frame(BINARY, b"\xff", False)
    assert read(reader, CONT, b"\xff") == Frame(CONT, b"\xff")


def test_a_continuation_of_nothing() -> None:
    reader = reader_of()
    for fin in (False, True):
        with pytest.raises(ProtocolError, match="unexpected continuation frame"):
            reader.begin(header(CONT, 0, fin))
    read(reader, TEXT, b"a")
    with pytest.raises(ProtocolError, match="unexpected continuation frame"):
        reader.begin(header(CONT, 0))


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("fin", [False, True])
def test_a_message_within_a_message(opcode: Opcode, fin: bool) -> None:
    reader = reader_of()
    read(reader, TEXT, b"a", fin=False)
    with pytest.raises(ProtocolError, match="expected a continuation frame"):
        reader.begin(header(opcode, 0, fin))


def test_b13_rsv1_without_compression() -> None:
    # aiohttp #12976
    with pytest.raises(ProtocolError, match="reserved bits"):
        reader_of().begin(header(TEXT, 0, compressed=True))


def test_c24_rsv1_on_a_continuation() -> None:
    for compressed in (False, True):
        reader = reader_of(compression=True)
        reader.begin(header(TEXT, 0, False, compressed))
        reader.end()
        with pytest.raises(ProtocolError, match="reserved bits"):
            reader.begin(header(CONT, 0, compressed=True))


# UTF-8 ------------------------------------------------------------------------------------------

# (bytes, index of the first byte that is not valid UTF-8)
BAD_UTF_8 = [
    ("80", 0),  # a continuation byte alone
    ("c3 28", 1),
    ("e2 28 a1", 1),
    ("e2 82 28", 2),
    ("f0 90 28 bc", 2),
    ("f0 90 8c 28", 3),
    ("c0 af", 0),  # overlong
    ("c1 bf", 0),
    ("e0 80 af", 1),
    ("e0 9f bf", 1),
    ("f0 80 80 af", 1),
    ("f0 8f bf bf", 1),
    ("ed a0 80", 1),  # surrogates
    ("ed bf bf", 1),
    ("f4 90 80 80", 1),  # beyond U+10FFFF
    ("f5 80 80 80", 0),
    ("f8 88 80 80 80", 0),
    ("fc 84 80 80 80 80", 0),
    ("fe", 0),
    ("ff", 0),
    ("ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80 65 64", 12),  # Autobahn 6.4.1 to 6.4.4
]


@pytest.mark.parametrize(("text", "bad"), BAD_UTF_8, ids=[text for text, _ in BAD_UTF_8])
@pytest.mark.parametrize("compressed", [False, True])
def test_utf_8_fails_at_its_first_bad_byte_in_an_unfinished_frame(
    text: str, bad: int, compressed: bool
) -> None:
    data = b"start " + bytes.fromhex(text)
    bad += 6
    reader = reader_of(compression=compressed)
    reader.begin(header(TEXT, 1000, False, compressed))
    compressor = zlib.compressobj(wbits=-15)

    def feed(index: int) -> None:
        byte = data[index : index + 1]
        if compressed:
            byte = compressor.compress(byte) + compressor.flush(zlib.Z_SYNC_FLUSH)
        reader.feed(byte)

    for index in range(bad):
        feed(index)
    with pytest.raises(InvalidPayloadData, match="invalid UTF-8 at byte"):
        feed(bad)


@pytest.mark.parametrize(("text", "bad"), BAD_UTF_8, ids=[text for text, _ in BAD_UTF_8])
def test_the_error_is_the_same_however_the_text_is_cut(text: str, bad: int) -> None:
    data = b"start " + bytes.fromhex(text) + b" end"
    errors = set()
    for first in range(len(data) + 1):
        frames = [(TEXT, data[:first], False), (CONT, data[first:], True)]
        with pytest.raises(InvalidPayloadData) as raised:
            read_all(reader_of(), frames, size=1 if first % 2 else 100)
        errors.add(str(raised.value))
    assert len(errors) == 1


@pytest.mark.parametrize("text", ["c3", "e2", "e2 82", "f0", "f0 9f", "f0 9f 98", "ed 9f", "f4 8f"])
@pytest.mark.parametrize("compressed", [False, True])
def test_text_must_not_end_within_a_character(text: str, compressed: bool) -> None:
    data = b"a" + bytes.fromhex(text)
    if compressed:
        data = PerMessageDeflate(False, False, 15, 15).compress(data)
    reader = reader_of(compression=compressed)
    with pytest.raises(InvalidPayloadData, match="at byte 1: unexpected end of data"):
        read(reader, TEXT, data, compressed=compressed)
    reader = reader_of(compression=compressed)
    read(reader, TEXT, data, False, compressed)
    with pytest.raises(InvalidPayloadData, match="unexpected end of data"):
        read(reader, CONT, b"")


@given(st.text(max_size=60), st.lists(st.integers(0, 100), max_size=5), st.integers(1, 9))
@settings(deadline=None)
def test_characters_may_be_cut_by_fragments_and_reads(
    text: str, cuts: list[int], size: int
) -> None:
    data = text.encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    reader = reader_of()
    parts = []
    for index in range(len(edges) - 1):
        piece = data[edges[index] : edges[index + 1]]
        fin = index == len(edges) - 2
        parts.append(read(reader, CONT if index else TEXT, piece, fin, size=size))
    assert b"".join(map(payload_of, parts)) == data


@given(st.binary(max_size=12))
@settings(deadline=None)
def test_any_bytes_are_text_exactly_if_python_says_so(data: bytes) -> None:
    try:
        expected = data.decode()
    except UnicodeDecodeError:
        with pytest.raises(InvalidPayloadData):
            read(reader_of(), TEXT, data, size=1)
    else:
        assert read(reader_of(), TEXT, data, size=1) == expected


# Limits -----------------------------------------------------------------------------------------


def test_the_limit_passes_and_one_byte_more_fails_at_the_header() -> None:
    reader = reader_of(100)
    assert read(reader, BINARY, bytes(100)) == bytes(100)
    with pytest.raises(PayloadTooBig) as raised:
        reader.begin(header(BINARY, 101))
    assert (raised.value.size, raised.value.max_size, raised.value.current_size) == (101, 100, None)


def test_the_limit_is_that_of_all_fragments_together() -> None:
    reader = reader_of(100)
    read(reader, BINARY, bytes(60), False)
    read(reader, CONT, bytes(40), False)
    read(reader, CONT, b"")
    read(reader, BINARY, bytes(60), False)
    with pytest.raises(PayloadTooBig) as raised:
        reader.begin(header(CONT, 41))
    assert (raised.value.size, raised.value.max_size, raised.value.current_size) == (41, 100, 60)


def test_a_fragment_has_a_limit_of_its_own() -> None:
    reader = reader_of(100, 40)
    for opcode, fin in ((BINARY, False), (CONT, False), (CONT, True)):
        read(reader, opcode, bytes(33), fin)
    with pytest.raises(PayloadTooBig) as raised:
        reader.begin(header(BINARY, 41))
    assert raised.value.max_size == 40


def test_no_limit() -> None:
    reader = reader_of(None)
    assert read(reader, BINARY, bytes(3 * MIB)) == bytes(3 * MIB)
    reader.begin(header(BINARY, 2**63 - 1))


def test_b05_nothing_is_allocated_for_an_announced_length() -> None:
    # CVE-2020-27813, CVE-2020-13935
    assert peak_of(lambda: reader_of(None).begin(header(BINARY, 2**63 - 1))) < 10_000


def test_b02_fragments_are_counted() -> None:
    reader = reader_of(None, None, 3)
    for _ in range(2):
        read(reader, BINARY, b"", False)
        read(reader, CONT, b"", False)
        read(reader, CONT, b"")
    read(reader, BINARY, b"", False)
    read(reader, CONT, b"", False)
    read(reader, CONT, b"", False)
    with pytest.raises(TooManyFragments):
        reader.begin(header(CONT, 0))


# Inflation bombs: CVE-2018-1000518, CVE-2026-1526 -----------------------------------------------

# One MiB of zeros that can be repeated: after a full flush, nothing refers to earlier data.
_compressor = zlib.compressobj(wbits=-15)
BOMB_MIB = _compressor.compress(bytes(MIB)) + _compressor.flush(zlib.Z_FULL_FLUSH)


@pytest.mark.parametrize("mebibytes", [2, 64, 1024])
@pytest.mark.parametrize("fragments", [1, 8])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_b01_an_inflation_bomb_is_met_at_the_limit(
    mebibytes: int, fragments: int, opcode: Opcode
) -> None:
    bomb = BOMB_MIB * mebibytes
    size = len(bomb) // fragments
    frames = [
        (CONT if start else opcode, bomb[start : start + size], False)
        for start in range(0, len(bomb), size)
    ]

    def explode() -> None:
        reader = reader_of(MIB, compression=True)
        with pytest.raises(PayloadTooBig, match=f"exceeds the limit of {MIB} bytes"):
            read_all(reader, frames, compressed=True)

    # The message so far, one more piece, and the copy of a fragment.
    assert peak_of(explode) < 4 * MIB


def test_b01_no_more_is_inflated_than_the_limit_allows() -> None:
    def explode() -> None:
        reader = reader_of(1000, compression=True)
        with pytest.raises(PayloadTooBig):
            read(reader, BINARY, BOMB_MIB[:1100], False, True)

    # The window and state of the decompressor remain.
    assert peak_of(explode) < 100_000


@pytest.mark.parametrize("limit", [1, 1000, MIB])
@pytest.mark.parametrize("fragments", [1, 3])
def test_b01_exactly_the_limit_passes(limit: int, fragments: int) -> None:
    for size, passes in ((limit, True), (limit + 1, False)):
        wire = PerMessageDeflate(False, False, 15, 15).compress(bytes(size))
        step = -(-len(wire) // fragments)
        last = fragments - 1
        frames = [
            (CONT if index else BINARY, wire[index * step : (index + 1) * step], index == last)
            for index in range(fragments)
        ]
        reader = reader_of(limit, compression=True)
        if passes:
            parts = read_all(reader, frames, compressed=True)
            assert b"".join(map(payload_of, parts)) == bytes(limit)
        else:
            with pytest.raises(PayloadTooBig):
                read_all(reader, frames, compressed=True)


def test_b01_the_last_byte_too_many_may_be_held_back_until_the_end() -> None:
    # zlib may hold back the last bytes of a stored block until the tail arrives.
    for size in range(90, 110):
        wire = PerMessageDeflate(False, False, 15, 15, {"level": 0}).compress(bytes(size))
        reader = reader_of(100, compression=True)
        if size <= 100:
            assert read(reader, BINARY, wire, compressed=True, size=1) == bytes(size)
        else:
            with pytest.raises(PayloadTooBig):
                read(reader, BINARY, wire, compressed=True, size=1)


@pytest.mark.parametrize("block", ["000000ffff", "010000ffff", "0300"])
def test_b01_endless_blocks_that_hold_nothing_are_refused_by_their_size(block: str) -> None:
    flood = bytes.fromhex(block) * 1000
    reader = reader_of(100, compression=True)
    with pytest.raises(PayloadTooBig):
        reader.begin(header(BINARY, len(flood), True, True))
    reader = reader_of(100, None, 50, compression=True)
    piece = bytes.fromhex(block) * 20
    with pytest.raises((PayloadTooBig, TooManyFragments)):
        read_all(reader, [(BINARY, piece, False), *[(CONT, piece, False)] * 999], compressed=True)


@pytest.mark.parametrize("limit", [10, 100, 5000, 100_000])
@pytest.mark.parametrize(
    "settings",
    [{}, {"level": 0}, {"memLevel": 1}, {"strategy": zlib.Z_FIXED}, {"level": 1, "memLevel": 9}],
    ids=str,
)
@pytest.mark.parametrize("fragment", [1, 2, 100, 10**6])
def test_incompressible_messages_of_the_limit_s_size_pass(
    limit: int, settings: dict[str, int], fragment: int
) -> None:
    if limit // fragment > 2500:
        fragment = limit // 2500
    data = bytes((7 * index * index + index // 3) & 0xFF | 0x90 for index in range(limit))
    sender = PerMessageDeflate(False, False, 15, 15, settings)
    reader = reader_of(limit, compression=True)
    received = b""
    for start in range(0, limit, fragment):
        fin = start + fragment >= limit
        wire = sender.compress(data[start : start + fragment], fin)
        message = read(reader, CONT if start else BINARY, wire, fin, not start)
        received += payload_of(message)
    assert received == data


def test_a_peer_without_stored_blocks_may_send_the_limit_s_size() -> None:
    # RFC 1951 §3.2.6: in a fixed block, each byte from 144 on takes 9 bits.
    bits = "010" + "".join(f"{400 + (index % 112):09b}" for index in range(10_000)) + "0000000"
    bits += "000"  # the block that the tail completes
    bits += "0" * (-len(bits) % 8)
    wire = bytes(int(bits[start : start + 8][::-1], 2) for start in range(0, len(bits), 8))
    assert len(wire) > 11_250
    expected = bytes(144 + index % 112 for index in range(10_000))
    assert read(reader_of(10_000, compression=True), BINARY, wire, compressed=True) == expected
    with pytest.raises(PayloadTooBig):
        read(reader_of(9_999, compression=True), BINARY, wire, compressed=True)


def test_a_message_that_a_final_block_ends_leaves_nothing_behind() -> None:
    reader = MessageReader(None, None, None)
    reader.deflate = PerMessageDeflate(False, False, 15, 15)
    for _ in range(3):
        compressor = zlib.compressobj(wbits=-15)
        data = compressor.compress(b"Hello") + compressor.flush(zlib.Z_FINISH)
        reader.begin(FrameHeader(Opcode.TEXT, True, True, None, len(data), 2))
        reader.feed(data)
        assert reader.end() == "Hello"
