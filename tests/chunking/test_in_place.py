"""How the bytes are cut: large payloads received in place are the same."""

import itertools
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chunking.streams import (
    KEY,
    Control,
    Message,
    end_of,
    feed,
    wire_frame,
    wire_message,
)
from ws6455.framing import masking
from ws6455.protocol.protocol import Protocol
from ws6455.protocol.states import Side


def pieces_in_place(protocol: Protocol, data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """Receive into the room that is offered, as a transport does; yield what has no room."""
    reads = itertools.cycle(sizes)
    while data:
        room = protocol.receive_buffer()
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
    assert list(server.queue.messages) == [bytes(1_000_000)]


def test_room_grows_with_what_comes_and_not_with_what_is_announced() -> None:
    server = Protocol(Side.SERVER, max_size=None)
    server.receive_data(wire_frame(0x82, b"", True, 1 << 62) + bytes(1000))
    rooms = []
    for _ in range(3):
        room = server.receive_buffer()
        assert room is not None
        rooms.append(len(room))
        room.release()
        server.receive_in_place(rooms[-1])
    assert rooms[0] < 1 << 17
    assert rooms[2] < 1 << 24


def test_there_is_no_room_for_what_has_to_be_looked_at() -> None:
    server = end_of(Side.SERVER, True, True)
    assert server.receive_buffer() is None
    server.receive_data(wire_frame(0xC2, b"", True, 4000) + b"xx")  # compressed
    assert server.receive_buffer() is None
    server = Protocol(Side.SERVER)
    server.receive_data(wire_frame(0x82, b"", True, 1000)[:-1])  # a header, but for a byte
    assert server.receive_buffer() is None
    server.receive_data(KEY[-1:] + bytes(10))  # a small frame
    assert server.receive_buffer() is None
    server = Protocol(Side.SERVER)
    server.receive_data(wire_frame(0x82, b"", True, 100_000) + bytes(10))
    with server.receive_buffer() or memoryview(b""):
        assert server.receive_buffer() is not None
    server.fail(1011)
    assert server.receive_buffer() is None  # nothing is read any more
    server.receive_in_place(10)
    assert not server.queue.messages
