"""Tests of frames with any bits and heads with any headers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ws6455 import Frame, Opcode
from ws6455.framing.frames import parse_header
from ws6455.protocol.handshake import accept_key
from ws6455.testing import RawFrame, opening_request, opening_response


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY, Opcode.CONT])
def test_a_right_frame_is_the_one_that_the_library_builds(opcode: Opcode, size: int) -> None:
    raw = RawFrame(opcode, bytes(size), fin=False, rsv=0b101)
    frame = Frame(opcode, bytes(size), fin=False, rsv1=True, rsv3=True)
    assert raw.serialize() == frame.serialize(mask=False)


def test_a_masked_frame_is_read_by_the_library() -> None:
    data = RawFrame(Opcode.TEXT, b"Hello", key=b"\x37\xfa\x21\x3d").serialize()
    assert data == bytes.fromhex("818537fa213d7f9f4d5158")  # RFC 6455 §5.7
    header = parse_header(data, True)
    assert header is not None
    assert (header.key, header.length) == (b"\x37\xfa\x21\x3d", 5)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (RawFrame(0x3), "83 00"),
        (RawFrame(0xF, rsv=0b111), "ff 00"),
        (RawFrame(Opcode.PING, fin=False), "09 00"),
        (RawFrame(Opcode.TEXT, b"x", length_bits=16), "81 7e 00 01 78"),
        (RawFrame(Opcode.TEXT, b"x", length_bits=64), "81 7f 00 00 00 00 00 00 00 01 78"),
        (RawFrame(Opcode.TEXT, b"x", length=5), "81 05 78"),
        (RawFrame(Opcode.TEXT, length=1 << 63), "81 7f 80 00 00 00 00 00 00 00"),
        (RawFrame(Opcode.TEXT, b"x", key=bytes(4)), "81 81 00 00 00 00 78"),
        (RawFrame(Opcode.CLOSE, b"x"), "88 01 78"),
    ],
)
def test_wrong_bits_are_sent_as_they_stand(frame: RawFrame, expected: str) -> None:
    assert frame.serialize().hex(" ") == expected


@pytest.mark.parametrize(
    "frame",
    [
        RawFrame(16),
        RawFrame(-1),
        RawFrame(1, rsv=8),
        RawFrame(1, bytes(126), length_bits=7),
        RawFrame(1, length=1 << 16, length_bits=16),
        RawFrame(1, length=1 << 64),
    ],
)
def test_what_has_too_many_bits_is_refused(frame: RawFrame) -> None:
    with pytest.raises(OverflowError):
        frame.serialize()


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="4 bytes"):
        RawFrame(1, b"x", key=b"abc").serialize()


FRAMES = st.builds(
    RawFrame,
    st.integers(0, 15),
    st.binary(max_size=300),
    st.booleans(),
    st.integers(0, 7),
    st.none() | st.binary(min_size=4, max_size=4),
)


@given(st.lists(FRAMES, max_size=5), st.binary(max_size=1))
def test_what_was_built_is_read_again_and_what_follows_is_left(
    frames: list[RawFrame], rest: bytes
) -> None:
    data = b"".join(frame.serialize() for frame in frames) + rest
    for frame in frames:
        parsed = RawFrame.parse(data)
        assert parsed is not None
        assert parsed[0] == frame
        data = data[parsed[1] :]
    assert data == rest
    assert RawFrame.parse(data) is None


@given(FRAMES)
def test_no_part_of_a_frame_is_taken_for_the_frame(frame: RawFrame) -> None:
    data = frame.serialize()
    assert all(RawFrame.parse(data[:size]) is None for size in range(len(data)))


@pytest.mark.parametrize("bits", [16, 64])
def test_the_form_of_a_length_is_told_when_it_is_not_the_shortest(bits: int) -> None:
    frame = RawFrame(Opcode.TEXT, b"x", length_bits=16 if bits == 16 else 64)
    assert RawFrame.parse(frame.serialize()) == (frame, 3 + bits // 8)


def test_a_request_is_right_unless_it_is_changed() -> None:
    lines = opening_request().decode().split("\r\n")
    assert lines[0] == "GET / HTTP/1.1"
    assert lines[-2:] == ["", ""]
    assert "Sec-WebSocket-Version: 13" in lines
    changed = opening_request(
        "/ chat", {"Host": None, "Upgrade": "h2c", "upgrade": "websocket", "Origin": "\xff"}
    ).split(b"\r\n")
    assert changed[0] == b"GET / chat HTTP/1.1"
    assert not any(line.startswith(b"Host:") for line in changed)
    assert {b"Upgrade: h2c", b"upgrade: websocket", b"Origin: \xff"} <= set(changed)


def test_a_response_answers_the_key_unless_it_is_changed() -> None:
    request = opening_request().decode()
    found = re.search("Sec-WebSocket-Key: (.*)\r\n", request)
    assert found is not None
    response = opening_response(request).decode()
    assert response.startswith("HTTP/1.1 101 Switching Protocols\r\n")
    assert f"\r\nSec-WebSocket-Accept: {accept_key(found[1])}\r\n" in response
    assert "Accept" not in opening_response(request, {"Sec-WebSocket-Accept": None}).decode()
    lower = request.replace("Sec-WebSocket-Key", "sec-websocket-key")
    assert opening_response(lower).decode() == response
