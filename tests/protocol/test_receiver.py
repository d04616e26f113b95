"""ws6455.protocol.protocol: messages on the fast path and the slow one (RFC 6455 §5.2, §5.4)."""

import pytest

from tests.protocol.peers import ROLES, from_peer
from ws6455.framing.frames import Frame, Opcode
from ws6455.protocol.protocol import Protocol
from ws6455.protocol.states import Side

LENGTHS = (*range(131), 255, 256, 65535, 65536, 65537)


@ROLES
@pytest.mark.parametrize("cut", [0, 1])
def test_messages_of_every_length_on_either_path(role: Side, cut: int) -> None:
    protocol = Protocol(role)
    for length in LENGTHS:
        payload = (bytes(range(256)) * 257)[:length]
        data = from_peer(role, Opcode.BINARY, payload)
        protocol.receive_data(data[:cut])
        protocol.receive_data(data[cut:])
        assert protocol.queue.messages.popleft() == payload


@ROLES
@pytest.mark.parametrize("length", [0, 1, 125])
def test_c25_a_whole_frame_with_a_length_that_is_not_in_its_shortest_form(
    role: Side, length: int
) -> None:
    mask = 0x80 if role is Side.SERVER else 0
    for size, code in ((2, 126), (8, 127)):
        protocol = Protocol(role)
        header = bytes([0x82, mask | code]) + length.to_bytes(size, "big")
        protocol.receive_data(header + bytes(4 if mask else 0) + bytes(length))
        assert "shortest form" in str(protocol.violation)
        assert protocol.events_received() == []


@ROLES
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_message_within_a_message_in_a_read_of_its_own(role: Side, opcode: Opcode) -> None:
    protocol = Protocol(role)
    protocol.receive_data(from_peer(role, Opcode.TEXT, b"a", fin=False))
    protocol.receive_data(from_peer(role, opcode, b"b"))
    assert "expected a continuation frame" in str(protocol.violation)
    assert protocol.events_received() == [Frame(Opcode.TEXT, b"a", fin=False)]


@pytest.mark.parametrize(
    ("role", "header", "cut"),
    [
        (Side.SERVER, b"\x82\x81\x80\x00\x00\x00", 1),
        (Side.CLIENT, b"\x82\x7e\x81\x00", 2),
    ],
)
def test_the_rest_of_a_header_that_looks_like_a_frame(role: Side, header: bytes, cut: int) -> None:
    protocol = Protocol(role)
    payload = bytes(1 if role is Side.SERVER else 0x8100)
    protocol.receive_data(header[:cut])
    protocol.receive_data(header[cut:] + payload)
    expected = b"\x80" if role is Side.SERVER else payload
    assert list(protocol.queue.messages) == [expected]


@ROLES
def test_the_fragments_of_an_unfinished_message_are_counted(role: Side) -> None:
    protocol = Protocol(role)
    protocol.receive_data(from_peer(role, Opcode.TEXT, b"whole"))
    for count, opcode in enumerate((Opcode.TEXT, Opcode.CONT, Opcode.CONT), start=1):
        protocol.receive_data(from_peer(role, opcode, b"a", fin=False))
        assert len(protocol.queue.fragments) == count
    protocol.receive_data(from_peer(role, Opcode.CONT, b"a"))
    assert not protocol.queue.fragments
    assert len(protocol.queue.messages) == 5
