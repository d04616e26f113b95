"""ws6455.framing.shared_message: frames that the receivers of a broadcast share."""

import pytest

from ws6455.framing.deflate import PerMessageDeflate
from ws6455.framing.frames import Frame, Opcode, parse_header
from ws6455.framing.shared_message import SharedMessage

DATA = b"so much alike, so much alike"


def deflate(no_context: bool = False, bits: int = 15) -> PerMessageDeflate:
    return PerMessageDeflate(False, no_context, 15, bits)


def inflated(frame: bytes, receiver: PerMessageDeflate) -> bytes:
    """Return the payload of a compressed frame, as the receiver reads it."""
    header = parse_header(frame, False)
    assert header is not None
    assert (header.fin, header.rsv1, header.key) == (True, True, None)
    assert header.size + header.length == len(frame)
    return message_of(frame[header.size :], receiver)


def message_of(payload: bytes, receiver: PerMessageDeflate) -> bytes:
    """Decompress the payload of a message."""
    data = b"".join(receiver.inflate(payload + PerMessageDeflate.TAIL, lambda: 0))
    receiver.end_inflated_message()
    return data


@pytest.mark.parametrize(("text", "opcode"), [(True, Opcode.TEXT), (False, Opcode.BINARY)])
def test_the_frame_without_compression(text: bool, opcode: Opcode) -> None:
    message = SharedMessage(DATA, text)
    assert (message.data, message.opcode) == (DATA, opcode)
    assert message.plain == Frame(opcode, DATA).serialize(mask=False)


def test_it_is_compressed_once_for_connections_with_the_same_parameters() -> None:
    message = SharedMessage(DATA, True)
    frame = message.compressed(deflate())
    assert message.compressed(deflate()) is frame
    assert len(frame) < len(message.plain)
    assert inflated(frame, deflate()) == DATA


def test_a_smaller_window_has_a_frame_of_its_own() -> None:
    data = bytes(range(256)) * 4  # what repeats is further back than 256 bytes
    message = SharedMessage(data, False)
    large, small = deflate(bits=15), deflate(bits=9)
    assert message.compressed(large) is not message.compressed(small)
    assert inflated(message.compressed(small), deflate()) == data


def test_it_refers_to_no_earlier_message_and_nothing_later_refers_to_it() -> None:
    sender, receiver = deflate(), deflate()
    other = b"another message, another message"
    before = sender.compress(other)
    shared = SharedMessage(DATA, True).compressed(sender)
    after = sender.compress(other)
    assert message_of(before, receiver) == other
    newcomer = deflate()  # has not received the message before
    for peer in (receiver, newcomer):
        assert inflated(shared, peer) == DATA
        assert message_of(after, peer) == other
