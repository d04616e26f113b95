"""ws6455.protocol.protocol: what is sent, and in which state (RFC 6455 §5, §6.1)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.protocol.peers import ROLES, frames_of, from_peer, sent_by
from ws6455.exceptions import (
    InvalidState,
    ProtocolError,
)
from ws6455.framing import frames
from ws6455.framing.frames import Frame, Opcode
from ws6455.framing.shared_message import SharedMessage
from ws6455.protocol.protocol import Protocol
from ws6455.protocol.states import Side, State

DATA: list[Callable[[Protocol], None]] = [
    lambda protocol: protocol.send_text(b"a"),
    lambda protocol: protocol.send_binary(b"a"),
    lambda protocol: protocol.send_continuation(b"a", fin=True),
    lambda protocol: protocol.send_shared(SharedMessage(b"a", text=True)),
    lambda protocol: protocol.send_close(1000),
]
CONTROL: list[Callable[[Protocol], None]] = [
    lambda protocol: protocol.send_ping(b"a"),
    lambda protocol: protocol.send_pong(b"a"),
]


@ROLES
@pytest.mark.parametrize("state", [State.CONNECTING, State.CLOSING, State.CLOSED])
def test_what_may_be_sent_in_which_state(role: Side, state: State) -> None:
    for send in (*DATA, *CONTROL):
        protocol = Protocol(role, state=state)
        if send in CONTROL and state is State.CLOSING:
            send(protocol)
            assert len(protocol.writes) == 1
            continue
        with pytest.raises(InvalidState, match=f"connection is {state.name.lower()}"):
            send(protocol)
        assert protocol.writes == []


@ROLES
def test_messages_as_sent(role: Side) -> None:
    protocol = Protocol(role)
    protocol.send_text(b"text")
    protocol.send_binary(b"", fin=True)
    protocol.send_binary(b"a", fin=False)
    protocol.send_ping(b"p")
    protocol.send_continuation(b"", fin=False)
    protocol.send_continuation(b"b", fin=True)
    protocol.send_pong(b"q")
    writes = protocol.data_to_send()
    mask = 0x80 if role is Side.CLIENT else 0
    assert [(write[0], write[1] ^ mask) for write in writes] == [
        (0x81, 4),
        (0x82, 0),
        (0x02, 1),
        (0x89, 1),
        (0x00, 0),
        (0x80, 1),
        (0x8A, 1),
    ]
    assert [frame.data for frame in frames_of(role, writes) if frame is not None] == [
        b"text",
        b"",
        b"a",
        b"p",
        b"",
        b"b",
        b"q",
    ]


@ROLES
def test_the_order_of_fragments_is_checked_before_anything_is_sent(role: Side) -> None:
    protocol = Protocol(role)
    with pytest.raises(ProtocolError, match="expected no continuation frame"):
        protocol.send_continuation(b"a", fin=True)
    protocol.send_text(b"a", fin=False)
    for send in (DATA[0], DATA[1], DATA[3]):
        with pytest.raises(ProtocolError, match="expected a continuation frame"):
            send(protocol)
    protocol.send_continuation(b"b", fin=True)
    protocol.send_text(b"c")
    assert sent_by(protocol) == [
        Frame(Opcode.TEXT, b"a", fin=False),
        Frame(Opcode.CONT, b"b"),
        Frame(Opcode.TEXT, b"c"),
    ]


@ROLES
def test_a_control_frame_has_at_most_125_bytes(role: Side) -> None:
    protocol = Protocol(role)
    for send in (protocol.send_ping, protocol.send_pong):
        send(bytes(125))
        with pytest.raises(ProtocolError, match="control frame too long"):
            send(bytes(126))
    assert len(protocol.writes) == 2


def test_b14_a_client_masks_every_frame_with_a_key_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = [bytes([n, 1, 2, 3]) for n in range(8)]
    monkeypatch.setattr(frames, "_masking_keys", keys.copy())
    client = Protocol(Side.CLIENT)
    for send in (DATA[0], DATA[1], DATA[3], CONTROL[0], CONTROL[1]):
        send(client)
    client.receive_data(from_peer(Side.CLIENT, Opcode.PING))
    client.send_close(1000)
    sent = client.data_to_send()
    assert sorted(frame[2:6] for frame in sent) == keys[1:]
    server = Protocol(Side.SERVER)
    for send in (*DATA[:2], *DATA[3:]):
        send(server)
    assert frames._masking_keys == keys[:1]


@ROLES
def test_b11_a_number_is_no_payload(role: Side) -> None:
    # GHSA-2mhh-w6q8-5hxw
    number: Any = 5
    protocol = Protocol(role)
    for send in (protocol.send_text, protocol.send_binary, protocol.send_ping, protocol.send_pong):
        with pytest.raises(TypeError):
            send(number)
    assert protocol.data_to_send() == []
