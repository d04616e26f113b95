"""ws6455.compat.frames: frames read by generators, with extensions."""

import dataclasses
from collections.abc import Generator
from typing import Any

import pytest

import ws6455
from tests.framing.test_frames import GOLDEN
from ws6455 import Opcode
from ws6455.compat.frames import Frame
from ws6455.exceptions import PayloadTooBig, ProtocolError


def read(wire: bytes, **options: Any) -> Frame:
    """Read a frame by the generator, with what it waits for byte by byte."""
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
def test_golden_frames_are_read_by_a_generator(wire: str, frame: ws6455.Frame) -> None:
    data = bytes.fromhex(wire)
    read_frame = read(data, mask=bool(data[1] & 0x80))
    assert type(read_frame) is Frame
    assert dataclasses.astuple(read_frame) == dataclasses.astuple(frame)


def test_the_generator_refuses_what_the_rules_do() -> None:
    with pytest.raises(ProtocolError, match="incorrect masking"):
        read(b"\x81\x00", mask=True)
    with pytest.raises(PayloadTooBig, match="5 bytes exceeds the limit of 4 bytes"):
        read(b"\x81\x05", mask=False, max_size=4)


class Marking:
    """An extension that puts a mark behind each payload."""

    def __init__(self, mark: bytes) -> None:
        self.mark = mark

    def encode(self, frame: ws6455.Frame) -> ws6455.Frame:
        return dataclasses.replace(frame, data=frame.data + self.mark, rsv1=True)

    def decode(self, frame: ws6455.Frame, *, max_size: int | None = None) -> ws6455.Frame:
        assert max_size == 100
        assert frame.data.endswith(self.mark)
        return dataclasses.replace(frame, data=frame.data[:-1], rsv1=False)


@pytest.mark.parametrize("mask", [True, False])
def test_extensions_are_undone_in_the_reverse_order(mask: bool) -> None:
    extensions = [Marking(b"1"), Marking(b"2")]
    wire = Frame(Opcode.TEXT, b"x").serialize(mask=mask, extensions=extensions)
    if not mask:
        assert wire == b"\xc1\x03x12"
    assert read(wire, mask=mask, max_size=100, extensions=extensions) == Frame(Opcode.TEXT, b"x")
