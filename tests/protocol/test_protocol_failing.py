"""ws6455.protocol.protocol: a violation fails the connection, in order (RFC 6455 §7.1.7)."""

import pytest

from tests.protocol.peers import ROLES, closing, expected_end, from_peer, sent_by
from ws6455.exceptions import (
    ConnectionClosedError,
    InvalidPayloadData,
    PayloadTooBig,
    ProtocolError,
)
from ws6455.framing.frames import Close, Frame, Opcode
from ws6455.protocol.protocol import MAX_SIZE, SEND_EOF, Protocol
from ws6455.protocol.states import Side, State

# Bytes of a violation from a client (masked) and from a server; the close code.
VIOLATIONS = [
    pytest.param(b"\x83\x80", b"\x83\x00", 1002, ProtocolError, id="reserved opcode"),
    pytest.param(b"\x80\x80", b"\x80\x00", 1002, ProtocolError, id="continuation of nothing"),
    pytest.param(b"\x81\x00", b"\x81\x80", 1002, ProtocolError, id="b12 wrong masking"),
    pytest.param(b"\xc1\x80", b"\xc1\x00", 1002, ProtocolError, id="b13 RSV1"),
    pytest.param(b"\x09\x80", b"\x09\x00", 1002, ProtocolError, id="fragmented control frame"),
    pytest.param(b"\x88\x81", b"\x88\x01\x03", 1002, ProtocolError, id="short close"),
    pytest.param(b"\x81\x81", b"\x81\x01\xff", 1007, InvalidPayloadData, id="not UTF-8"),
    pytest.param(b"\x82\xff", b"\x82\x7f", 1009, PayloadTooBig, id="too big"),
]


def violation_bytes(role: Side, masked: bytes, unmasked: bytes) -> bytes:
    data = masked if role is Side.SERVER else unmasked
    if data[1] & 0x7F == 127:
        data += (MAX_SIZE + 1).to_bytes(8, "big")
    if data[1] & 0x80:
        data += bytes(4)
    if role is Side.SERVER and data[1] & 0x7F == 1:
        data += unmasked[2:]
    return data


@ROLES
@pytest.mark.parametrize(("masked", "unmasked", "code", "kind"), VIOLATIONS)
def test_a_violation_fails_in_order(
    role: Side, masked: bytes, unmasked: bytes, code: int, kind: type[Exception]
) -> None:
    protocol = Protocol(role)
    protocol.receive_data(
        from_peer(role, Opcode.TEXT, b"before")
        + from_peer(role, Opcode.PING, b"ping")
        + violation_bytes(role, masked, unmasked)
        + from_peer(role, Opcode.TEXT, b"after")
        + from_peer(role, Opcode.PING, b"after")
    )
    protocol.receive_data(from_peer(role, Opcode.TEXT, b"after"))
    assert type(protocol.violation) is kind
    assert protocol.close_expected()
    # Until the events are taken the connection is open: pongs and replies go out.
    assert (protocol.state, protocol.close_sent) == (State.OPEN, None)
    assert sent_by(protocol) == [Frame(Opcode.PONG, b"ping")]
    assert protocol.events_received() == [
        Frame(Opcode.TEXT, b"before"),
        Frame(Opcode.PING, b"ping"),
    ]
    protocol.send_text(b"reply")
    assert sent_by(protocol) == [
        Frame(Opcode.TEXT, b"reply"),
        closing(code, str(protocol.violation)),
        *expected_end(role),
    ]
    protocol.receive_eof()
    assert (protocol.state, protocol.close_code) == (State.CLOSED, 1006)
    assert type(protocol.close_exc) is ConnectionClosedError
    assert protocol.close_exc.__cause__ is protocol.violation


@ROLES
def test_the_end_of_the_stream_after_a_violation_lets_the_replies_out(role: Side) -> None:
    protocol = Protocol(role)
    protocol.receive_data(from_peer(role, Opcode.TEXT, b"before") + b"\xff\xff")
    protocol.receive_eof()
    assert (protocol.state, protocol.data_to_send()) == (State.OPEN, [])
    assert len(protocol.events_received()) == 1
    protocol.send_text(b"reply")
    frames = sent_by(protocol)
    assert frames[0] == Frame(Opcode.TEXT, b"reply")
    assert isinstance(frames[1], Frame)
    assert frames[1].opcode is Opcode.CLOSE
    assert frames[2:] == [None]
    assert (protocol.state, protocol.data_to_send()) == (State.CLOSED, [])


@ROLES
def test_a_violation_while_closing_needs_no_second_close_frame(role: Side) -> None:
    protocol = Protocol(role)
    protocol.send_close(1000)
    assert len(protocol.data_to_send()) == 1
    protocol.receive_data(b"\xff\xff")
    assert protocol.violation is not None
    assert [frame for frame in sent_by(protocol) if frame is not None] == []
    protocol.receive_eof()
    assert protocol.state is State.CLOSED
    assert type(protocol.close_exc) is ConnectionClosedError


@ROLES
def test_fail_says_why_and_reads_no_more(role: Side) -> None:
    protocol = Protocol(role)
    cause = TimeoutError("late")
    protocol.fail(1011, "keepalive", cause)
    assert sent_by(protocol) == [closing(1011, "keepalive"), *expected_end(role)]
    protocol.receive_data(from_peer(role, Opcode.TEXT, b"after"))
    assert protocol.events_received() == []
    protocol.fail(1002, "again")
    assert sent_by(protocol) == []
    protocol.receive_eof()
    assert repr(protocol.close_exc.__cause__) == repr(cause)
    assert protocol.close_exc.sent == Close(1011, "keepalive")


def test_fail_with_1006_sends_nothing() -> None:
    protocol = Protocol(Side.SERVER)
    protocol.fail(1006, "gone")
    assert protocol.data_to_send() == [SEND_EOF]
    protocol.receive_eof()
    assert protocol.close_code == 1006


@pytest.mark.parametrize("character", ["a", "\xe9", "\u20ac", "\U0001f600"])
@pytest.mark.parametrize("shift", range(4))
def test_fail_cuts_a_long_reason_between_characters(character: str, shift: int) -> None:
    protocol = Protocol(Side.SERVER)
    reason = "x" * shift + character * 130
    protocol.fail(1011, reason)
    (frame, end) = sent_by(protocol)
    assert end is None
    assert isinstance(frame, Frame)
    close = Close.parse(frame.data)
    assert reason.startswith(close.reason)
    assert 123 - len(character.encode()) < len(close.reason.encode()) <= 123
