"""ws6455.protocol.protocol: compressed messages (RFC 7692)."""

import itertools
from typing import Any

import pytest

from ws6455.framing.deflate import PerMessageDeflate
from ws6455.framing.frames import Frame, Opcode, serialize_frame
from ws6455.framing.shared_message import SharedMessage
from ws6455.protocol.protocol import Protocol
from ws6455.protocol.states import Side


def compressed_pair(
    no_context: bool = False, bits: int = 15, **options: Any
) -> tuple[Protocol, Protocol]:
    """Make a server and a client that both compress."""
    ends = Protocol(Side.SERVER, **options), Protocol(Side.CLIENT, **options)
    for end in ends:
        end.deflate = PerMessageDeflate(no_context, no_context, bits, bits)
        assert end.extensions == [end.deflate]
    return ends


def carry(source: Protocol, target: Protocol) -> list[Frame]:
    """Carry what one end has to say to the other; give what that makes of it."""
    target.receive_data(b"".join(source.data_to_send()))
    assert target.violation is None
    return [event for event in target.events_received() if isinstance(event, Frame)]


@pytest.mark.parametrize("no_context", [False, True])
@pytest.mark.parametrize("bits", [8, 9, 15])
def test_compressed_messages_both_ways(no_context: bool, bits: int) -> None:
    for source, target in itertools.permutations(compressed_pair(no_context, bits)):
        for data in (b"", b"hello " * 50, b"hello " * 50, b""):
            source.send_text(data)
            assert carry(source, target) == [Frame(Opcode.TEXT, data)]
        source.send_binary(b"hello " * 50, fin=False)
        source.send_ping(b"p")
        source.send_continuation(b"", fin=True)
        source.send_text(b"hello " * 50)
        source.send_shared(SharedMessage(b"hello " * 50, text=False))
        source.send_binary(b"hello " * 50)
        assert [frame.data for frame in carry(source, target)] == [
            b"hello " * 50,
            b"",
            *[b"hello " * 50] * 3,
            b"p",
        ]
        assert carry(target, source) == [Frame(Opcode.PONG, b"p")]


def test_only_the_first_frame_says_that_a_message_is_compressed() -> None:
    server, _ = compressed_pair()
    server.send_text(b"a", fin=False)
    server.send_continuation(b"b", fin=False)
    server.send_continuation(b"c", fin=True)
    server.send_ping(b"")
    assert [write[0] for write in server.data_to_send()] == [0x41, 0x00, 0x80, 0x89]


def test_a_peer_may_leave_messages_uncompressed() -> None:
    server, _ = compressed_pair()
    server.receive_data(serialize_frame(0x81, b"plain", True))
    assert list(server.queue.messages) == ["plain"]


@pytest.mark.parametrize("first", [0xC8, 0xC9, 0xCA, 0x49])
def test_c24_rsv1_on_a_control_frame(first: int) -> None:
    server, _ = compressed_pair()
    server.receive_data(serialize_frame(first, b"", True))
    server.data_to_send()
    assert server.close_sent is not None
    assert server.close_sent.code == 1002


def test_b01_a_bomb_closes_with_1009() -> None:
    server, client = compressed_pair(max_size=1000)
    client.send_binary(bytes(10**6))
    server.receive_data(b"".join(client.data_to_send()))
    server.data_to_send()
    assert server.close_sent is not None
    assert server.close_sent.code == 1009
    assert "max_size" in server.close_sent.reason


def test_a_shared_message_is_built_once_for_all_who_can_read_it() -> None:
    plain, wide, other, narrow = (Protocol(Side.SERVER) for _ in range(4))
    wide.deflate = PerMessageDeflate(False, False, 15, 15)
    other.deflate = PerMessageDeflate(True, True, 9, 15)
    narrow.deflate = PerMessageDeflate(False, False, 15, 9)
    message = SharedMessage(b"hello " * 50, text=True)
    frames = []
    for end in (plain, wide, other, narrow):
        end.send_shared(message)
        frames += end.data_to_send()
    assert frames[0] == serialize_frame(0x81, b"hello " * 50, False)
    assert frames[1] is frames[2]
    assert frames[3] is not frames[1]
    assert frames[1][0] == 0xC1
