"""ws6455.compat.frames: constants, frames of every version, payloads and masks."""

import dataclasses
from collections.abc import Generator
from typing import Any

import pytest

import ws6455
from tests.compat.conftest import reader_of
from tests.compat.test_extensions import negotiated
from tests.framing.test_frames import GOLDEN
from ws6455 import Opcode
from ws6455.compat.frames import Frame
from ws6455.exceptions import PayloadTooBig, ProtocolError


def test_constants_under_every_name(websockets: Any) -> None:
    assert websockets.framing.OP_TEXT is websockets.frames.TEXT is ws6455.Opcode.TEXT
    assert websockets.frames.DATA_OPCODES == (0, 1, 2)
    assert websockets.frames.CTRL_OPCODES == (8, 9, 10)
    assert websockets.protocol.CLIENT is ws6455.Side.CLIENT
    assert websockets.protocol.OPEN is ws6455.State.OPEN
    assert {1000, 1001, 1005} == websockets.frames.OK_CLOSE_CODES
    assert {
        *range(1000, 1004),
        *range(1007, 1015),
    } == websockets.frames.EXTERNAL_CLOSE_CODES
    assert websockets.exceptions.CLOSE_CODES[1001] == "going away"


def read(wire: bytes, **options: Any) -> Frame:
    """Read a frame with the generator, which receives its bytes one at a time."""
    position = 0

    def read_exact(size: int) -> Generator[None, None, bytes]:
        nonlocal position
        for _ in range(size):
            yield
        position += size
        assert position <= len(wire)
        return wire[position - size : position]

    generator = Frame.parse(read_exact, **options)
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            assert position == len(wire)
            frame: Frame = stop.value
            return frame


@pytest.mark.parametrize(("wire", "frame"), GOLDEN)
def test_golden_frames_are_parsed(wire: str, frame: ws6455.Frame) -> None:
    data = bytes.fromhex(wire)
    read_frame = read(data, mask=bool(data[1] & 0x80))
    assert type(read_frame) is Frame
    assert dataclasses.astuple(read_frame) == dataclasses.astuple(frame)


def test_invalid_frames_are_errors() -> None:
    with pytest.raises(ProtocolError, match="incorrect masking"):
        read(b"\x81\x00", mask=True)
    with pytest.raises(PayloadTooBig, match="5 bytes exceeds the limit of 4 bytes"):
        read(b"\x81\x05", mask=False, max_size=4)


class Marking:
    """An extension that appends a mark to each payload."""

    def __init__(self, mark: bytes) -> None:
        self.mark = mark

    def encode(self, frame: ws6455.Frame) -> ws6455.Frame:
        return dataclasses.replace(frame, data=frame.data + self.mark, rsv1=True)

    def decode(self, frame: ws6455.Frame, *, max_size: int | None = None) -> ws6455.Frame:
        assert max_size == 100
        assert frame.data.endswith(self.mark)
        return dataclasses.replace(frame, data=frame.data[:-1], rsv1=False)


@pytest.mark.parametrize("mask", [True, False])
def test_extensions_decode_in_reverse_order(mask: bool) -> None:
    extensions = [Marking(b"1"), Marking(b"2")]
    wire = Frame(Opcode.TEXT, b"x").serialize(mask=mask, extensions=extensions)
    if not mask:
        assert wire == b"\xc1\x03x12"
    assert read(wire, mask=mask, max_size=100, extensions=extensions) == Frame(Opcode.TEXT, b"x")


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("size", [0, 5, 126, 70_000])
async def test_a_legacy_frame_is_written_and_read(websockets: Any, mask: bool, size: int) -> None:
    for framing in (websockets.framing, websockets.legacy.framing):
        written = bytearray()
        frame = framing.Frame(True, framing.OP_BINARY, b"x" * size)
        frame.write(written.extend, mask=mask)
        stream = reader_of(bytes(written) + b"rest")
        assert await framing.Frame.read(stream.readexactly, mask=mask) == frame
        assert await stream.read() == b"rest"
        assert tuple(frame) == (True, 2, b"x" * size, False, False, False)
        assert str(frame) == str(frame.new_frame)


async def test_invalid_legacy_frames_are_errors(websockets: Any) -> None:
    read = websockets.framing.Frame.read
    with pytest.raises(websockets.PayloadTooBig):
        await read(reader_of(b"\x82\x05hello").readexactly, mask=False, max_size=4)
    with pytest.raises(websockets.ProtocolError, match="reserved bits"):
        await read(reader_of(b"\xc2\x00").readexactly, mask=False)
    with pytest.raises(websockets.ProtocolError, match="masking"):
        await read(reader_of(b"\x82\x00\x00\x00\x00\x00").readexactly, mask=True)
    with pytest.raises(websockets.ProtocolError, match="fragmented control frame"):
        websockets.framing.Frame(False, websockets.framing.OP_PING, b"").check()
    with pytest.raises(websockets.ProtocolError, match="reserved bits"):
        websockets.framing.Frame(True, websockets.framing.OP_TEXT, b"", rsv2=True).check()


async def test_a_legacy_frame_with_extensions(websockets: Any) -> None:
    client, server = negotiated(websockets)
    frame = websockets.framing.Frame(True, websockets.framing.OP_TEXT, b"hello " * 100)
    written = bytearray()
    frame.write(written.extend, mask=True, extensions=[client])
    assert len(written) < 100
    reader = reader_of(bytes(written)).readexactly
    assert await websockets.framing.Frame.read(reader, mask=True, extensions=[server]) == frame


def test_payloads_are_prepared_and_parsed(websockets: Any) -> None:
    framing = websockets.framing
    assert framing.prepare_data("é") == (ws6455.Opcode.TEXT, "é".encode())
    assert framing.prepare_data(bytearray(b"x")) == (ws6455.Opcode.BINARY, b"x")
    assert framing.prepare_ctrl("é") == framing.encode_data("é") == "é".encode()
    with pytest.raises(TypeError, match="not int"):
        framing.prepare_ctrl(3)
    assert framing.parse_close(framing.serialize_close(1000, "bye")) == (1000, "bye")
    with pytest.raises(websockets.WebSocketProtocolError):
        framing.parse_close(b"x")


def test_apply_mask_of_bytes_like_objects(websockets: Any) -> None:
    for apply_mask in (websockets.utils.apply_mask, websockets.speedups.apply_mask):
        assert apply_mask(data=memoryview(b"abcde"), mask=bytearray(b"\x01\x02\x03\x04")) == (
            b"\x60\x60\x60\x60\x64"
        )
        with pytest.raises(ValueError, match="4 bytes"):
            apply_mask(b"a", b"b")
