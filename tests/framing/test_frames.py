"""Tests of ws6455.framing.frames: golden vectors in both directions, every invalid header."""

import os
import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ws6455.exceptions import InvalidPayloadData, ProtocolError
from ws6455.framing import frames
from ws6455.framing.frames import (
    Close,
    CloseCode,
    Frame,
    FrameHeader,
    Opcode,
    parse_header,
    serialize_frame,
    truncate_reason,
)
from ws6455.framing.masking import apply_mask

RFC_KEY = b"\x37\xfa\x21\x3d"
KEY = b"\x01\x02\x03\x04"

# (frame on the wire, the frame): RFC 6455 §5.7 first, then every form of the length.
GOLDEN = [
    ("8105 48656c6c6f", Frame(Opcode.TEXT, b"Hello")),
    ("0103 48656c", Frame(Opcode.TEXT, b"Hel", fin=False)),
    ("8002 6c6f", Frame(Opcode.CONT, b"lo")),
    ("8905 48656c6c6f", Frame(Opcode.PING, b"Hello")),
    ("8a05 48656c6c6f", Frame(Opcode.PONG, b"Hello")),
    ("827e0100" + "00" * 256, Frame(Opcode.BINARY, bytes(256))),
    ("827f0000000000010000" + "00" * 65536, Frame(Opcode.BINARY, bytes(65536))),
    ("8185 37fa213d 7f9f4d5158", Frame(Opcode.TEXT, b"Hello")),
    ("8a85 37fa213d 7f9f4d5158", Frame(Opcode.PONG, b"Hello")),
    ("8100", Frame(Opcode.TEXT, b"")),
    ("8180 37fa213d", Frame(Opcode.TEXT, b"")),
    ("0000", Frame(Opcode.CONT, b"", fin=False)),
    ("8800", Frame(Opcode.CLOSE, b"")),
    ("8802 03e8", Frame(Opcode.CLOSE, b"\x03\xe8")),
    ("827d" + "00" * 125, Frame(Opcode.BINARY, bytes(125))),
    ("827e007e" + "00" * 126, Frame(Opcode.BINARY, bytes(126))),
    ("827effff" + "00" * 65535, Frame(Opcode.BINARY, bytes(65535))),
    ("c105 f248cdc9c9", Frame(Opcode.TEXT, bytes.fromhex("f248cdc9c9"), rsv1=True)),
]


def parse_frame(data: bytes, masked: bool) -> tuple[Frame, int]:
    """Return the frame at the start of the data, and its size."""
    header = parse_header(data, masked)
    assert header is not None
    payload = data[header.size : header.size + header.length]
    assert len(payload) == header.length
    if header.key is not None:
        payload = apply_mask(payload, header.key)
    frame = Frame(header.opcode, payload, header.fin, header.rsv1)
    return frame, header.size + header.length


@pytest.mark.parametrize(("wire", "frame"), GOLDEN, ids=[wire[:24] for wire, _ in GOLDEN])
def test_golden_vectors(wire: str, frame: Frame, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes.fromhex(wire)
    masked = data[1] >= 0x80
    monkeypatch.setattr(frames, "_masking_keys", [RFC_KEY])
    assert parse_frame(data, masked) == (frame, len(data))
    assert parse_frame(data + b"\xff" * 20, masked) == (frame, len(data))
    assert frame.serialize(mask=masked) == data


@given(
    st.sampled_from([Opcode.CONT, Opcode.TEXT, Opcode.BINARY]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 70_000) | st.sampled_from([0, 125, 126, 65535, 65536]),
    st.booleans(),
)
@settings(deadline=None)
def test_round_trip(opcode: Opcode, fin: bool, rsv1: bool, size: int, masked: bool) -> None:
    frame = Frame(opcode, bytes(size), fin, rsv1)
    data = frame.serialize(mask=masked)
    assert parse_frame(data, masked) == (frame, len(data))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_a_header_is_parsed_at_its_last_byte(size: int, masked: bool) -> None:
    data = serialize_frame(0x82, bytes(size), masked)
    header = parse_header(data, masked)
    assert header is not None
    assert header.size == len(data) - size
    for cut in range(header.size):
        assert parse_header(data[:cut], masked) is None
    assert parse_header(data[: header.size], masked) == header


def test_the_parts_of_a_header() -> None:
    assert parse_header(bytes.fromhex("41fe0100 01020304"), True) == FrameHeader(
        Opcode.TEXT, False, True, KEY, 256, 8
    )
    assert parse_header(bytes.fromhex("827f 7fffffffffffffff"), False) == FrameHeader(
        Opcode.BINARY, True, False, None, 2**63 - 1, 10
    )


@pytest.mark.parametrize(
    ("data", "masked", "error"),
    [
        *((f"8{code:x}", False, f"reserved opcode: 0x{code:x}") for code in (3, 4, 5, 6, 7)),
        *((f"8{code:x}", True, f"reserved opcode: 0x{code:x}") for code in (11, 12, 13, 14, 15)),
        *((f"{bits:x}1", False, "reserved bits") for bits in (9, 10, 11, 13, 14, 15, 1, 2, 3, 7)),
        *((f"c{code}", False, "reserved bits") for code in "89a"),  # RFC 7692 §6.1: RSV1
        *((f"0{code}", False, "fragmented control frame") for code in "89a"),
        ("8100", True, "incorrect masking"),
        ("8180", False, "incorrect masking"),
        *((f"8{code}7e", False, "control frame too long") for code in "89a"),
        *((f"8{code}ff", True, "control frame too long") for code in "89a"),
        # C25: a length that is not in its shortest form
        ("827e0000", False, "shortest form"),
        ("827e007d", False, "shortest form"),
        ("82fe007d", True, "shortest form"),
        ("827f0000000000000000", False, "shortest form"),
        ("827f000000000000ffff", False, "shortest form"),
        ("82ff000000000000007d", True, "shortest form"),
        # C26: the most significant bit of a 64-bit length
        ("827f8000000000000000", False, "exceeds 63 bits"),
        ("827fffffffffffffffff", False, "exceeds 63 bits"),
        ("82ff8000000000010000", True, "exceeds 63 bits"),
    ],
)
def test_c25_c26_an_illegal_header_is_refused_at_its_byte(
    data: str, masked: bool, error: str
) -> None:
    header = bytes.fromhex(data)
    assert parse_header(header[:-1], masked) is None
    with pytest.raises(ProtocolError, match=error):
        parse_header(header, masked)


@pytest.mark.parametrize("masked", [False, True])
def test_every_pair_of_first_bytes_is_parsed_or_refused(masked: bool) -> None:
    for first in range(256):
        for second in range(256):
            legal = (
                first & 0x30 == 0
                and first & 0x0F in (0, 1, 2, 8, 9, 10)
                and (first & 0x08 == 0 or (first & 0xC0 == 0x80 and second & 0x7F <= 125))
                and (second >= 0x80) is masked
            )
            try:
                # The bytes that follow are a length in its shortest form, in 16 or 64 bits.
                header = parse_header(bytes((first, second, 0x10)) + bytes(12), masked)
            except ProtocolError:
                assert not legal
            else:
                assert legal
                assert header is not None


def test_b14_a_mask_is_fresh_for_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    given = b""

    def urandom(size: int) -> bytes:
        nonlocal given
        fresh = random.Random(len(given)).randbytes(size)
        given += fresh
        return fresh

    monkeypatch.setattr(os, "urandom", urandom)
    monkeypatch.setattr(frames, "_masking_keys", [])
    keys = [serialize_frame(0x82, bytes(5), True)[2:6] for _ in range(1000)]
    # Every key is four bytes from the system, and none is used twice.
    assert set(keys) <= {given[at : at + 4] for at in range(0, len(given), 4)}
    assert len(set(keys)) == len(keys)
    given_so_far = given
    serialize_frame(0x82, bytes(5), False)
    assert given == given_so_far


FORK = """
import os
from ws6455.framing.frames import serialize_frame

serialize_frame(0x82, b"", True)  # some unused keys are left
child = os.fork()
for _ in range(3):
    os.write(1, serialize_frame(0x82, b"", True)[2:].hex().encode() + b" ")  # in one piece
if child:
    os.waitpid(child, 0)
"""


def test_b14_a_forked_process_does_not_repeat_its_parent_s_masks() -> None:
    run = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=True)
    keys = run.stdout.split()
    assert len(keys) == len(set(keys)) == 6


# Frame ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [Opcode.CLOSE, Opcode.PING, Opcode.PONG])
def test_a_control_frame_that_may_not_be_sent(opcode: Opcode) -> None:
    Frame(opcode, bytes(125)).check()
    with pytest.raises(ProtocolError, match="control frame too long"):
        Frame(opcode, bytes(126)).serialize(mask=False)
    with pytest.raises(ProtocolError, match="fragmented control frame"):
        Frame(opcode, b"", fin=False).serialize(mask=True)


def test_reserved_bits_are_sent_as_given() -> None:
    assert Frame(Opcode.TEXT, b"", rsv1=True).serialize(mask=False) == b"\xc1\x00"
    assert Frame(Opcode.TEXT, b"", rsv2=True).serialize(mask=False) == b"\xa1\x00"
    assert Frame(Opcode.TEXT, b"", False, rsv3=True).serialize(mask=False) == b"\x11\x00"


@pytest.mark.parametrize("data", [bytearray(b"abcd"), memoryview(b"abcd")])
def test_bytes_like_payloads(data: Any) -> None:
    assert Frame(Opcode.PING, data).serialize(mask=False) == b"\x89\x04abcd"


def test_b11_no_memory_is_made_or_disclosed_for_an_int() -> None:
    # GHSA-2mhh-w6q8-5hxw: bytes(5) are five zeros.
    number: Any = 5
    for opcode in Opcode:
        with pytest.raises(TypeError):
            Frame(opcode, number).serialize(mask=False)


def test_b11_a_memoryview_counts_in_bytes() -> None:
    wide: Any = memoryview(b"abcdefgh").cast("I")
    assert Frame(Opcode.BINARY, wide).serialize(mask=False) == b"\x82\x08abcdefgh"


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (Frame(Opcode.TEXT, "h\xe9".encode()), "TEXT 'h\xe9' [3 bytes]"),
        (Frame(Opcode.TEXT, b"a", fin=False), "TEXT 'a' [1 byte, continued]"),
        (Frame(Opcode.CONT, b"\x01\xff"), "CONT 01 ff [2 bytes]"),
        (Frame(Opcode.BINARY, b""), "BINARY '' [0 bytes]"),
        (Frame(Opcode.PING, b"ping"), "PING 70 69 6e 67 [4 bytes]"),
        (Frame(Opcode.CLOSE, b"\x03\xe8bye"), "CLOSE '1000 (OK) bye' [5 bytes]"),
        (Frame(Opcode.CLOSE, b""), "CLOSE '1005 (no status received [internal])' [0 bytes]"),
        # B28: split UTF-8, terminal escapes and bidirectional marks are shown escaped.
        (Frame(Opcode.TEXT, b"\xe2\x82", fin=False), "TEXT '\ufffd' [2 bytes, continued]"),
        (Frame(Opcode.TEXT, b"\x1b[2J\n"), r"TEXT '\x1b[2J\n' [5 bytes]"),
        (Frame(Opcode.TEXT, "\u202e\x9b".encode()), r"TEXT '\u202e\x9b' [5 bytes]"),
        (Frame(Opcode.CLOSE, b"\x03\xe8\x1b[2J"), r"CLOSE '1000 (OK) \x1b[2J' [6 bytes]"),
        # A malformed payload is shown in hexadecimal.
        (Frame(Opcode.CLOSE, b"\x03"), "CLOSE 03 [1 byte]"),
        (Frame(Opcode.CLOSE, b"\x00\x00"), "CLOSE 00 00 [2 bytes]"),
        (Frame(Opcode.CLOSE, b"\x03\xe8\xff"), "CLOSE 03 e8 ff [3 bytes]"),
    ],
)
def test_b28_a_line_for_a_log(frame: Frame, text: str) -> None:
    assert str(frame) == text
    assert str(frame).isprintable()


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY, Opcode.CONT])
def test_a_line_for_a_log_is_short(opcode: Opcode) -> None:
    assert len(str(Frame(opcode, b"\x1b" * 10**6))) < 110


# Close ------------------------------------------------------------------------------------------

LEGAL_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}


def test_c27_close_codes_that_may_travel() -> None:
    for code in (*range(5001), 65535):
        payload = code.to_bytes(2, "big") + b"why"
        if code in LEGAL_CODES:
            assert Close.parse(payload) == Close(code, "why")
            assert Close(code, "why").serialize() == payload
            continue
        with pytest.raises(ProtocolError, match=f"invalid close code: {code}"):
            Close.parse(payload)
        with pytest.raises(ProtocolError, match=f"invalid close code: {code}"):
            Close(code, "why").serialize()


def test_every_named_close_code_is_explained() -> None:
    for code in CloseCode:
        assert "unknown" not in str(Close(code, ""))


def test_c28_an_empty_close_is_1005() -> None:
    assert Close.parse(b"") == Close(1005, "")


def test_a_close_of_one_byte_is_refused() -> None:
    with pytest.raises(ProtocolError, match="too short"):
        Close.parse(b"\x03")


@pytest.mark.parametrize("reason", [b"\xff", b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\xaf"])
def test_a_reason_that_is_no_utf_8_is_refused(reason: bytes) -> None:
    with pytest.raises(InvalidPayloadData):
        Close.parse(b"\x03\xe8" + reason)


def test_a_reason_has_at_most_123_bytes() -> None:
    assert len(Close(1000, "\xe9" * 61 + "a").serialize()) == 125
    with pytest.raises(ProtocolError, match="123 bytes"):
        Close(1000, "\xe9" * 62).serialize()


@pytest.mark.parametrize(
    ("close", "text"),
    [
        (Close(1000, ""), "1000 (OK)"),
        (Close(CloseCode.GOING_AWAY, "bye"), "1001 (going away) bye"),
        (Close(3999, ""), "3999 (registered)"),
        (Close(4000, "x"), "4000 (private use) x"),
        (Close(1004, ""), "1004 (unknown)"),
    ],
)
def test_a_close_reads(close: Close, text: str) -> None:
    assert str(close) == text


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("", ""),
        ("x" * 123, "x" * 123),
        ("x" * 124, "x" * 120 + "…"),
        ("é" * 61, "é" * 61),
        ("é" * 62, "é" * 60 + "…"),
        ("x" + "€" * 50, "x" + "€" * 39 + "…"),
        ("🙂" * 30, "🙂" * 30),
        ("xx" + "🙂" * 31, "xx" + "🙂" * 29 + "…"),
        ("x" * 10_000, "x" * 120 + "…"),
    ],
)
def test_d22_a_reason_is_cut_between_characters_and_marked(reason: str, expected: str) -> None:
    assert truncate_reason(reason) == expected
    assert Close.parse(Close(1000, expected).serialize()).reason == expected


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_d22_every_reason_fits_once_it_is_truncated(reason: str) -> None:
    cut = truncate_reason(reason)
    assert len(cut.encode()) <= 123
    assert cut == reason if len(reason.encode()) <= 123 else reason.startswith(cut[:-1])
