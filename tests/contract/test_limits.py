"""Violations of the peer, in order, and bounds in both directions."""

from collections.abc import Callable

import pytest

from tests.contract.adapters import PATIENCE
from tests.contract.conftest import MakePair, until
from tests.contract.peers import Peer
from tests.frames import close, ping, pong, text
from ws6455 import (
    Close,
    ConnectionClosed,
    ConnectionClosedError,
    Frame,
    InvalidPayloadData,
    Opcode,
    PayloadTooBig,
    ProtocolError,
    Side,
    State,
    TooManyFragments,
)

ENDLESS = Frame(Opcode.CONT, b"", fin=False)

VIOLATIONS = [
    pytest.param([b"\x83"], 1002, ProtocolError, id="reserved opcode"),
    pytest.param([Frame(Opcode.TEXT, b"\xff")], 1007, InvalidPayloadData, id="not UTF-8"),
    pytest.param([Frame(Opcode.BINARY, bytes(101))], 1009, PayloadTooBig, id="too big"),
    pytest.param(
        [text("", fin=False), *[ENDLESS] * 4], 1009, TooManyFragments, id="too many fragments"
    ),
]


def reserved_opcode(peer: Peer) -> bytes:
    return b"\x83\x80\x00\x00\x00\x00" if peer.side is Side.CLIENT else b"\x83\x00"


@pytest.mark.parametrize(("violation", "code", "cause"), VIOLATIONS)
def test_replies_go_out_before_the_close_frame(
    pair: MakePair, violation: list[Frame | bytes], code: int, cause: type[Exception]
) -> None:
    with pair(compression=None, max_size=100, max_fragments=4) as (end, peer):
        if violation == [b"\x83"]:
            violation = [reserved_opcode(peer)]
        peer.send(text("1"), text("2"), *violation, text("3"))  # all in one segment
        for message in ("1", "2"):
            assert end.recv() == message
            end.send(message)
            assert peer.frame() == text(message)
        receiving = end.start("recv")
        answer = Close.parse(peer.frame().data)
        assert answer.code == code
        peer.close()
        with pytest.raises(ConnectionClosedError) as caught:
            receiving.result(PATIENCE)
        assert isinstance(caught.value.__cause__, cause)
        assert answer.reason == str(caught.value.__cause__)
        assert (caught.value.rcvd, caught.value.sent) == (None, answer)


@pytest.mark.parametrize("together", [True, False])
def test_an_application_that_takes_its_time_can_still_reply(pair: MakePair, together: bool) -> None:
    with pair(compression=None) as (end, peer):
        peer.send(text("1"), reserved_opcode(peer) if together else b"")
        assert end.recv() == "1"
        if not together:
            peer.send(reserved_opcode(peer))
        until(lambda: end.connection.protocol.violation is not None)
        assert end.state is State.OPEN
        end.send("reply")
        receiving = end.start("recv")
        assert peer.frame() == text("reply")
        assert Close.parse(peer.frame().data).code == 1002
        peer.close()
        with pytest.raises(ConnectionClosedError):
            receiving.result(PATIENCE)


def test_a_violation_fails_at_once_when_nothing_is_before_it(pair: MakePair) -> None:
    with pair() as (end, peer):
        peer.send(reserved_opcode(peer))  # nobody receives
        assert peer.answer_close().code == 1002
        end.wait_closed()


def test_an_application_that_takes_nothing_does_not_keep_a_violation_up(pair: MakePair) -> None:
    with pair(close_timeout=0.1) as (end, peer):
        peer.send(text("1"), reserved_opcode(peer))
        assert peer.answer_close().code == 1002
        end.wait_closed()
        assert end.recv() == "1"


def test_too_big_a_message_names_its_size_and_the_limit(pair: MakePair) -> None:
    with pair(max_size=1000) as (end, peer):
        peer.send(Frame(Opcode.BINARY, bytes(1001)))
        assert peer.answer_close() == Close(
            1009, "frame with 1001 bytes exceeds the limit of 1000 bytes: see max_size"
        )
        with pytest.raises(ConnectionClosedError, match="1001 bytes exceeds the limit of 1000"):
            end.recv()


def test_exactly_the_limit_passes(pair: MakePair) -> None:
    with pair(max_size=1000) as (end, peer):
        peer.send(Frame(Opcode.BINARY, bytes(1000)))
        assert end.recv() == bytes(1000)


def test_a_slow_application_stops_the_reading(pair: MakePair) -> None:
    with pair(max_queue=(4, 2)) as (end, peer):
        messages = end.connection.protocol.queue.messages

        def queued(count: int) -> Callable[[], bool]:
            return lambda: len(messages) == count

        for number in range(5):
            peer.send(text(str(number)))
            until(queued(number + 1))
        assert end.connection._reading_paused
        peer.send(ping(b"not read"), *(text(str(number)) for number in range(5, 20)))
        for number in range(2):
            assert end.recv() == str(number)
            assert end.connection._reading_paused
            assert len(messages) == 4 - number
        assert end.recv() == "2"
        assert peer.frame() == pong(b"not read")  # it goes on
        for number in range(3, 20):
            assert end.recv() == str(number)


def test_the_queue_is_bounded_in_bytes(pair: MakePair) -> None:
    with pair(max_queue=1000, compression=None) as (end, peer):
        peer.send(*[Frame(Opcode.BINARY, bytes(100_000))] * 40)
        until(lambda: bool(end.connection._reading_paused))
        queued = end.connection.protocol.queue.messages
        assert 1 << 20 < sum(map(len, queued)) < (1 << 20) + 300_000
        for _ in range(40):
            assert end.recv() == bytes(100_000)


def test_a_message_may_have_more_fragments_than_the_queue(pair: MakePair) -> None:
    with pair(max_queue=2) as (end, peer):
        peer.send(text("0", fin=False))
        for number in range(1, 20):
            peer.send(Frame(Opcode.CONT, b"%d" % (number % 10), fin=number == 19))
        assert end.recv() == "01234567890123456789"


def test_a_slow_peer_makes_send_wait(pair: MakePair) -> None:
    with pair(compression=None) as (end, peer):
        large = bytes(1 << 24)
        sending = end.start("send", large)
        until(lambda: end.connection._io.unsent_bytes() > 0)
        assert not sending.done()
        assert peer.frame().data == large
        sending.result(PATIENCE)


def test_pings_are_answered_while_a_send_waits(pair: MakePair) -> None:
    with pair(compression=None) as (end, peer):
        sending = end.start("send", bytes(1 << 24))
        until(lambda: end.connection._io.unsent_bytes() > 0)
        for number in range(100):
            peer.send(ping(b"%d" % number))
        assert len(peer.frame().data) == 1 << 24
        sending.result(PATIENCE)
        # §5.5.3: the latest is enough.
        while (answer := peer.frame()) != pong(b"99"):
            assert answer.opcode is Opcode.PONG


def test_a_send_that_waits_ends_with_the_connection(pair: MakePair) -> None:
    with pair(compression=None, close_timeout=0.1) as (end, peer):
        sending = end.start("send", bytes(1 << 24))
        until(lambda: end.connection._io.unsent_bytes() > 0)
        peer.send(close(1001, "enough"))
        with pytest.raises(ConnectionClosed, match=r"received 1001 \(going away\) enough"):
            sending.result(PATIENCE)
