"""ws6455.protocol.protocol: pings, pongs, and their place between other frames (RFC 6455 §5.5)."""

from tests.protocol.peers import ROLES, close_from_peer, closing, expected_end, from_peer, sent_by
from ws6455.framing.frames import Frame, Opcode
from ws6455.protocol.protocol import SEND_EOF, Protocol
from ws6455.protocol.states import Side


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
