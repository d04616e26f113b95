"""ws6455.protocol.protocol: limits of size and number, and cost below them."""

import time
import tracemalloc

import pytest

from tests.protocol.peers import ROLES, from_peer
from ws6455.exceptions import (
    PayloadTooBig,
    TooManyFragments,
)
from ws6455.framing.frames import Frame, Opcode
from ws6455.protocol.protocol import MAX_FRAGMENTS, Protocol
from ws6455.protocol.states import Side


@ROLES
@pytest.mark.parametrize("fin", [True, False])
def test_b05_a_length_above_the_limit_fails_at_the_header(role: Side, fin: bool) -> None:
    # CVE-2020-27813, CVE-2020-13935
    bit = 0x80 if role is Side.SERVER else 0
    first = Opcode.BINARY | (0x80 if fin else 0)
    for length, code in ((2**63 - 1, 1009), (2**63, 1002), (2**64 - 1, 1002)):
        protocol = Protocol(role)
        data = bytes([first, bit | 127]) + length.to_bytes(8, "big") + bytes(4 if bit else 0)
        tracemalloc.start()
        protocol.receive_data(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20_000
        protocol.data_to_send()
        assert protocol.close_sent is not None
        assert protocol.close_sent.code == code


@ROLES
@pytest.mark.parametrize("size", [100, 126, 70_000])
def test_exactly_the_limit_passes_on_either_path(role: Side, size: int) -> None:
    for limit in (size, (size, None), (None, size), (size + 1, size)):
        for length in (size, size + 1):
            data = from_peer(role, Opcode.BINARY, bytes(length))
            for cut in (len(data), 1):
                protocol = Protocol(role, max_size=limit)
                protocol.receive_data(data[:cut])
                protocol.receive_data(data[cut:])
                assert len(protocol.queue.messages) == (1 if length == size else 0)
                assert isinstance(protocol.violation, PayloadTooBig) is (length > size)


@ROLES
def test_a_pair_of_limits_is_for_the_message_and_its_fragments(role: Side) -> None:
    def receive(*sizes: int) -> Protocol:
        protocol = Protocol(role, max_size=(100, 40))
        for index, size in enumerate(sizes):
            opcode = Opcode.CONT if index else Opcode.BINARY
            protocol.receive_data(from_peer(role, opcode, bytes(size), index == len(sizes) - 1))
        return protocol

    assert receive(40, 40, 20).violation is None
    assert isinstance(receive(40, 40, 21).violation, PayloadTooBig)
    assert isinstance(receive(41).violation, PayloadTooBig)
    assert isinstance(receive(1, 41).violation, PayloadTooBig)
    assert Protocol(role, max_size=(100, 40)).max_message_size == 100


@ROLES
@pytest.mark.parametrize("size", [0, 1])
def test_b02_a_flood_of_fragments_is_cut_off(role: Side, size: int) -> None:
    # CVE-2026-48779, CVE-2026-12151
    protocol = Protocol(role)
    protocol.receive_data(from_peer(role, Opcode.BINARY, bytes(size), fin=False))
    fragment = from_peer(role, Opcode.CONT, bytes(size), fin=False)
    tracemalloc.start()
    received = 0
    for _ in range(300):
        protocol.receive_data(fragment * 100)
        received += sum(isinstance(event, Frame) for event in protocol.events_received())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert received == MAX_FRAGMENTS
    assert peak < 200_000
    assert isinstance(protocol.violation, TooManyFragments)
    protocol.data_to_send()
    assert protocol.close_sent is not None
    assert protocol.close_sent.code == 1009


def test_b02_the_limit_of_fragments_is_a_parameter() -> None:
    first = from_peer(Side.SERVER, Opcode.BINARY, b"", fin=False)
    more = from_peer(Side.SERVER, Opcode.CONT, b"", fin=False)
    protocol = Protocol(Side.SERVER, max_fragments=2)
    protocol.receive_data(first + more)
    assert protocol.violation is None
    protocol.receive_data(more)
    assert isinstance(protocol.violation, TooManyFragments)
    protocol = Protocol(Side.SERVER, max_fragments=None)
    protocol.receive_data(first + more * 5000)
    assert protocol.violation is None


@ROLES
def test_b03_a_frame_byte_by_byte_stays_near_its_size(role: Side) -> None:
    # CVE-2026-54274: 28 times its size elsewhere.
    size = 60_000
    data = from_peer(role, Opcode.BINARY, bytes(size))
    pieces = [data[index : index + 1] for index in range(len(data))]
    protocol = Protocol(role)
    tracemalloc.start()
    for piece in pieces:
        protocol.receive_data(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert protocol.queue.messages.popleft() == bytes(size)
    assert peak < 2.5 * size


@ROLES
def test_b03_a_frame_byte_by_byte_takes_linear_time(role: Side) -> None:
    def seconds(size: int) -> float:
        data = from_peer(role, Opcode.TEXT, b"a" * size)
        times = []
        for _ in range(2):
            protocol = Protocol(role)
            start = time.process_time()
            for index in range(len(data)):
                protocol.receive_data(data[index : index + 1])
            times.append(time.process_time() - start)
            assert len(protocol.queue.messages) == 1
        return min(times)

    assert seconds(40_000) < 24 * seconds(5_000) + 0.05
