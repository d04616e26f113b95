"""ws6455.protocol: states, control frames, the closing handshake, failing in order.

Names with ``b`` and a number repeat published advisories of other libraries; those with ``c``
are corners that conformance suites leave out.
"""

import itertools
import logging
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from ws6455 import frames
from ws6455.deflate import PerMessageDeflate
from ws6455.errors import (
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidPayloadData,
    InvalidState,
    PayloadTooBig,
    ProtocolError,
    TooManyFragments,
)
from ws6455.frames import Close, CloseCode, Frame, Opcode, serialize_frame
from ws6455.protocol import MAX_FRAGMENTS, MAX_SIZE, SEND_EOF, Protocol, Side, State
from ws6455.shared import SharedMessage

ROLES = pytest.mark.parametrize("role", Side, ids=lambda role: role.name.lower())
LEGAL_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}


def from_peer(role: Side, opcode: Opcode, data: bytes = b"", fin: bool = True) -> bytes:
    """Build a frame as this end's peer sends it."""
    return Frame(opcode, data, fin).serialize(mask=role is Side.SERVER)


def close_from_peer(role: Side, code: int | None = 1000, reason: str = "") -> bytes:
    data = b"" if code is None else code.to_bytes(2, "big") + reason.encode()
    return from_peer(role, Opcode.CLOSE, data)


def frames_of(role: Side, writes: list[bytes]) -> list[Frame | None]:
    """Read what an end has sent; None is the end of its sending."""
    reader = Protocol(Side.CLIENT if role is Side.SERVER else Side.SERVER, max_size=None)
    frames: list[Frame | None] = []
    for write in writes:
        if write == SEND_EOF:
            frames.append(None)
            continue
        reader.receive_data(write)
        assert reader.violation is None
        frames += [event for event in reader.events_received() if isinstance(event, Frame)]
    return frames


def sent_by(protocol: Protocol) -> list[Frame | None]:
    return frames_of(protocol.side, protocol.data_to_send())


def closing(code: int, reason: str = "") -> Frame:
    return Frame(Opcode.CLOSE, Close(code, reason).serialize())


def expected_end(role: Side) -> list[None]:
    """§7.1.1: the server closes TCP first."""
    return [None] if role is Side.SERVER else []


# The four states --------------------------------------------------------------------------------

LEGAL_STEPS = {
    (State.CONNECTING, State.OPEN),
    (State.CONNECTING, State.CLOSED),
    (State.OPEN, State.CLOSING),
    (State.OPEN, State.CLOSED),
    (State.CLOSING, State.CLOSED),
}


@pytest.mark.parametrize(("start", "end"), [*itertools.product(State, State)])
def test_every_step_between_states(start: State, end: State) -> None:
    protocol = Protocol(Side.SERVER, state=start)
    if (start, end) in LEGAL_STEPS:
        protocol.state = end
        assert protocol.state is end
    else:
        with pytest.raises(InvalidState, match=f"from {start.name} to {end.name}"):
            protocol.state = end
        assert protocol.state is start


def test_the_opening_handshake_is_not_this_class_s_matter() -> None:
    with pytest.raises(InvalidState):
        Protocol(Side.SERVER, state=State.CONNECTING).receive_data(b"GET")


def test_a_connection_has_one_identity() -> None:
    first, second = Protocol(Side.SERVER), Protocol(Side.SERVER)
    assert first.id == first.id != second.id
    assert first.id.version == 4


def test_limits_are_on_by_default() -> None:
    protocol = Protocol(Side.SERVER)
    assert protocol.max_message_size == MAX_SIZE == 1 << 20
    assert MAX_FRAGMENTS == 4096


# Control frames ---------------------------------------------------------------------------------


@ROLES
def test_pings_are_answered_in_order(role: Side) -> None:
    protocol = Protocol(role)
    for data in (b"", b"one", bytes(125)):
        protocol.receive_data(from_peer(role, Opcode.PING, data))
    assert sent_by(protocol) == [
        Frame(Opcode.PONG, b""),
        Frame(Opcode.PONG, b"one"),
        Frame(Opcode.PONG, bytes(125)),
    ]
    assert protocol.data_to_send() == []


@ROLES
def test_pongs_overtake_queued_frames(role: Side) -> None:
    protocol = Protocol(role)
    protocol.send_text(b"first", fin=False)
    protocol.receive_data(from_peer(role, Opcode.PING, b"now"))
    protocol.send_continuation(b"last", fin=True)
    assert sent_by(protocol) == [
        Frame(Opcode.PONG, b"now"),
        Frame(Opcode.TEXT, b"first", fin=False),
        Frame(Opcode.CONT, b"last"),
    ]


@ROLES
def test_a_pong_comes_before_the_close_that_follows_its_ping(role: Side) -> None:
    protocol = Protocol(role)
    protocol.receive_data(from_peer(role, Opcode.PING, b"a") + close_from_peer(role))
    assert sent_by(protocol) == [Frame(Opcode.PONG, b"a"), closing(1000), *expected_end(role)]


@ROLES
def test_pings_are_answered_while_closing(role: Side) -> None:
    protocol = Protocol(role)
    protocol.send_close(1000)
    protocol.data_to_send()
    protocol.receive_data(from_peer(role, Opcode.PING, b"a"))
    assert sent_by(protocol) == [Frame(Opcode.PONG, b"a")]


@ROLES
def test_pings_are_not_answered_after_the_end(role: Side) -> None:
    protocol = Protocol(role)
    protocol.receive_data(from_peer(role, Opcode.PING, b"a"))
    protocol.receive_eof()
    assert protocol.data_to_send() == [SEND_EOF]


@ROLES
def test_an_unsolicited_pong_is_only_an_event(role: Side) -> None:
    protocol = Protocol(role)
    protocol.receive_data(from_peer(role, Opcode.PONG, b"a"))
    assert protocol.events_received() == [Frame(Opcode.PONG, b"a")]
    assert protocol.data_to_send() == []


@ROLES
def test_control_frames_come_between_fragments(role: Side) -> None:
    protocol = Protocol(role)
    protocol.receive_data(
        from_peer(role, Opcode.TEXT, b"a", fin=False)
        + from_peer(role, Opcode.PING, b"p")
        + from_peer(role, Opcode.CONT, b"b")
    )
    assert protocol.events_received() == [
        Frame(Opcode.TEXT, b"a", fin=False),
        Frame(Opcode.CONT, b"b"),
        Frame(Opcode.PING, b"p"),
    ]
    assert protocol.events_received() == []


# Messages ---------------------------------------------------------------------------------------

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
        assert protocol.messages.popleft() == payload


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
    assert list(protocol.messages) == [expected]


@ROLES
def test_the_fragments_of_an_unfinished_message_are_counted(role: Side) -> None:
    protocol = Protocol(role)
    protocol.receive_data(from_peer(role, Opcode.TEXT, b"whole"))
    for count, opcode in enumerate((Opcode.TEXT, Opcode.CONT, Opcode.CONT), start=1):
        protocol.receive_data(from_peer(role, opcode, b"a", fin=False))
        assert protocol.open_fragments == count
    protocol.receive_data(from_peer(role, Opcode.CONT, b"a"))
    assert protocol.open_fragments == 0
    assert len(protocol.messages) == 5


# The closing handshake --------------------------------------------------------------------------


@ROLES
@pytest.mark.parametrize("code", [None, 1000, 1001, 3000, 4999])
def test_the_peer_closes_first(role: Side, code: int | None) -> None:
    protocol = Protocol(role)
    protocol.receive_data(close_from_peer(role, code, "" if code is None else "bye"))
    assert protocol.state is State.CLOSING
    assert protocol.close_expected()
    assert protocol.close_rcvd_then_sent is True
    echo = Frame(Opcode.CLOSE, b"") if code is None else closing(code, "bye")
    assert sent_by(protocol) == [echo, *expected_end(role)]
    assert (protocol.close_code, protocol.close_reason) == (None, None)
    protocol.receive_eof()
    assert (protocol.state, protocol.close_code, protocol.close_reason) == (
        State.CLOSED,
        code or 1005,
        "" if code is None else "bye",
    )
    # The client closes its side once the server has.
    assert sent_by(protocol) == ([] if role is Side.SERVER else [None])


@ROLES
def test_this_end_closes_first(role: Side) -> None:
    protocol = Protocol(role)
    protocol.send_close(1001, "bye")
    assert protocol.state is State.CLOSING
    assert sent_by(protocol) == [closing(1001, "bye")]
    # What the peer sent before it saw the Close frame still comes.
    protocol.receive_data(from_peer(role, Opcode.TEXT, b"late") + close_from_peer(role, 1000))
    assert protocol.events_received()[0] == Frame(Opcode.TEXT, b"late")
    assert protocol.close_rcvd_then_sent is False
    assert sent_by(protocol) == expected_end(role)
    protocol.receive_eof()
    assert type(protocol.close_exc) is ConnectionClosedOK


def test_c28_both_sides_close_at_once() -> None:
    server, client = Protocol(Side.SERVER), Protocol(Side.CLIENT)
    server.send_close(1001, "server")
    client.send_close(1000, "client")
    to_client, to_server = server.data_to_send(), client.data_to_send()
    server.receive_data(b"".join(to_server))
    client.receive_data(b"".join(to_client))
    assert server.data_to_send() == [SEND_EOF]
    assert client.data_to_send() == []
    client.receive_eof()
    assert client.data_to_send() == [SEND_EOF]
    server.receive_eof()
    for end, rcvd in ((server, "client"), (client, "server")):
        assert end.state is State.CLOSED
        assert type(end.close_exc) is ConnectionClosedOK
        assert end.close_exc.rcvd_then_sent is False
        assert end.close_reason == rcvd


@ROLES
def test_nothing_follows_a_close_frame(role: Side) -> None:
    protocol = Protocol(role)
    protocol.receive_data(
        close_from_peer(role)
        + from_peer(role, Opcode.TEXT, b"after")
        + from_peer(role, Opcode.PING)
        + b"\xff\xff"
    )
    protocol.receive_data(from_peer(role, Opcode.TEXT, b"after"))
    assert protocol.events_received() == [closing(1000)]
    assert protocol.violation is None
    assert sent_by(protocol) == [closing(1000), *expected_end(role)]


@ROLES
@pytest.mark.parametrize("cut", [b"", b"\x81", b"\x82\xff\x00"])
def test_c28_a_connection_that_is_cut_is_1006(role: Side, cut: bytes) -> None:
    protocol = Protocol(role)
    protocol.receive_data(cut if role is Side.SERVER else cut.replace(b"\xff", b"\x7f"))
    protocol.receive_eof()
    protocol.receive_eof()
    assert protocol.state is State.CLOSED
    assert (protocol.close_code, protocol.close_reason) == (1006, "")
    assert type(protocol.close_exc) is ConnectionClosedError
    assert sent_by(protocol) == [None]
    for data in (b"a", from_peer(role, Opcode.TEXT, b"whole")):
        with pytest.raises(EOFError):
            protocol.receive_data(data)


def test_how_a_connection_ends_is_told_at_its_end() -> None:
    protocol = Protocol(Side.SERVER)
    with pytest.raises(AssertionError, match="isn't closed yet"):
        _ = protocol.close_exc


CODES = (None, 1000, 1001, 1002, 1008, 1011, 3000, 4999)


@pytest.mark.parametrize(("sent", "rcvd"), [*itertools.product(CODES, CODES)])
def test_the_kind_of_the_end_for_all_pairs_of_codes(sent: int | None, rcvd: int | None) -> None:
    protocol = Protocol(Side.SERVER)
    protocol.send_close(sent)
    protocol.receive_data(close_from_peer(Side.SERVER, rcvd))
    protocol.receive_eof()
    exc = protocol.close_exc
    fine = {None, 1000, 1001}
    assert type(exc) is (
        ConnectionClosedOK if sent in fine and rcvd in fine else ConnectionClosedError
    )
    assert (exc.rcvd, exc.sent) == (Close(rcvd or 1005, ""), Close(sent or 1005, ""))


@pytest.mark.parametrize("sent", [None, 1000, 1011])
def test_without_the_peer_s_close_frame_it_is_an_error(sent: int | None) -> None:
    protocol = Protocol(Side.CLIENT)
    protocol.send_close(sent)
    protocol.receive_eof()
    assert type(protocol.close_exc) is ConnectionClosedError
    assert protocol.close_exc.code == 1006


def test_c27_every_close_code_received() -> None:
    for code in range(5001):
        protocol = Protocol(Side.CLIENT)
        protocol.receive_data(b"\x88\x02" + code.to_bytes(2, "big"))
        protocol.data_to_send()
        assert protocol.close_sent is not None
        if code in LEGAL_CODES:
            assert protocol.close_rcvd == protocol.close_sent == Close(code, "")
        else:
            assert protocol.close_rcvd is None
            assert protocol.close_sent.code == 1002
            assert protocol.events_received() == []


def test_c27_every_close_code_sent() -> None:
    for code in range(5001):
        protocol = Protocol(Side.SERVER)
        if code in LEGAL_CODES:
            protocol.send_close(code, "why")
            assert protocol.data_to_send() == [b"\x88\x05" + code.to_bytes(2, "big") + b"why"]
            continue
        with pytest.raises(ProtocolError, match=f"invalid close code: {code}"):
            protocol.send_close(code, "why")
        assert protocol.state is State.OPEN
        assert protocol.data_to_send() == []


@pytest.mark.parametrize(("code", "reason"), [(None, "why"), (1000, "\xe9" * 62)])
def test_a_reason_that_cannot_be_sent_changes_nothing(code: int | None, reason: str) -> None:
    protocol = Protocol(Side.SERVER)
    with pytest.raises(ProtocolError):
        protocol.send_close(code, reason)
    assert protocol.state is State.OPEN
    assert protocol.data_to_send() == []


# Sending ----------------------------------------------------------------------------------------

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


# Failing ----------------------------------------------------------------------------------------

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
    assert protocol.close_exc.__cause__ is cause
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


# Limits -----------------------------------------------------------------------------------------


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
                assert len(protocol.messages) == (1 if length == size else 0)
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
    assert protocol.messages.popleft() == bytes(size)
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
            assert len(protocol.messages) == 1
        return min(times)

    assert seconds(40_000) < 24 * seconds(5_000) + 0.05


# Compression ------------------------------------------------------------------------------------


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
    assert list(server.messages) == ["plain"]


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


# The log ----------------------------------------------------------------------------------------


@ROLES
def test_b28_each_frame_is_logged_escaped(role: Side, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    protocol = Protocol(role)
    protocol.receive_data(
        from_peer(role, Opcode.TEXT, b"\x1b[2J")
        + from_peer(role, Opcode.TEXT, b"\xe2\x82", fin=False)
        + from_peer(role, Opcode.CONT, b"\xac")
        + from_peer(role, Opcode.PING, b"\x1b")
    )
    protocol.send_text(b"reply")
    protocol.send_ping(b"\x1b")
    protocol.data_to_send()
    protocol.receive_data(close_from_peer(role, 1000, "\x1b[2J"))
    protocol.data_to_send()
    protocol.receive_eof()
    lines = [record.getMessage() for record in caplog.records]
    assert {record.name for record in caplog.records} == {f"ws6455.{role.name.lower()}"}
    assert all(line.isprintable() for line in lines)
    for line in (
        r"< TEXT '\x1b[2J' [4 bytes]",
        "< TEXT '\ufffd' [2 bytes, continued]",
        "< PING 1b [1 byte]",
        "> TEXT 'reply' [5 bytes]",
        "> PONG 1b [1 byte]",
        "> PING 1b [1 byte]",
        r"< CLOSE '1000 (OK) \x1b[2J' [6 bytes]",
        "= connection is CLOSING",
        "< EOF",
        "= connection is CLOSED",
    ):
        assert line in lines


def test_a_violation_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    Protocol(Side.SERVER).receive_data(b"\x83")
    assert [record.getMessage() for record in caplog.records] == ["! reserved opcode: 0x3"]


def test_nothing_is_logged_above_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    protocol = Protocol(Side.SERVER)
    protocol.receive_data(b"\x83")
    protocol.data_to_send()
    protocol.receive_eof()
    assert caplog.records == []


def test_close_code_names_serve_as_codes() -> None:
    protocol = Protocol(Side.SERVER)
    protocol.send_close(CloseCode.GOING_AWAY)
    assert protocol.data_to_send() == [b"\x88\x02\x03\xe9"]
