"""The policy of an open connection, with a clock that the test moves and nothing behind it."""

from typing import Any

import pytest

from ws6455 import (
    Close,
    CloseCode,
    ConcurrencyError,
    ConnectionClosed,
    ConnectionClosedError,
    Frame,
    Opcode,
    ProtocolError,
    ServerProtocol,
    State,
)
from ws6455.session.keepalive import Session, control_payload
from ws6455.session.receive_queue import MAX_QUEUED_BYTES, water_marks

VIOLATION = b"\x83\x80\x00\x00\x00\x00"


class FakeFrontEnd(Session):
    """Notes what the session asks for."""

    def __init__(self, **options: Any) -> None:
        self.now = 100.0
        settings: dict[str, Any] = {
            "ping_interval": 20,
            "ping_timeout": 20,
            "close_timeout": 10,
            "max_queue": 16,
        }
        protocol = ServerProtocol(state=State.OPEN)
        super().__init__(protocol, lambda: self.now, **(settings | options))
        self.sent: list[bytes] = []
        self.aborted = False
        self.reading = True
        self.unsent = 0
        self.settled: dict[str, float | ConnectionClosed] = {}
        self.deadline: float | None = None

    def _flush(self) -> None:
        self.sent += self.protocol.take_writes()

    def _abort(self) -> None:
        self.aborted = True

    def _pause_reading(self) -> None:
        self.reading = False

    def _resume_reading(self) -> None:
        self.reading = True

    def _unsent_bytes(self) -> int:
        return self.unsent

    def _settle_ping(self, waiter: str, outcome: float | ConnectionClosed) -> None:
        self.settled[waiter] = outcome

    def _deadline_changed(self) -> None:
        self.deadline = self._next_deadline()

    # What the test does

    def receive(self, *frames: Frame | bytes) -> None:
        for frame in frames:
            data = frame if isinstance(frame, bytes) else frame.serialize(mask=True)
            self.protocol.receive_data(data)
        self._heard = True
        if self.protocol.attention:
            self._attend()
        self._check_high_water_mark()

    def to_deadline(self) -> None:
        """Let the time go on to the next deadline, and do what is due."""
        assert self.deadline is not None
        self.now = self.deadline
        self._tick()

    def lose(self) -> None:
        self.protocol.receive_eof()
        self._closed()

    def closes_sent(self) -> list[int]:
        return [int.from_bytes(f[2:4], "big") for f in self.sent if f[:1] == b"\x88"]

    def pings_sent(self) -> int:
        return sum(frame[:1] == b"\x89" for frame in self.sent)


def text(data: str, fin: bool = True) -> Frame:
    return Frame(Opcode.TEXT, data.encode(), fin)


def pong(data: bytes) -> Frame:
    return Frame(Opcode.PONG, data)


@pytest.mark.parametrize(
    ("limits", "marks"),
    [
        (16, (16, 4)),
        (0, (0, 0)),
        ((10, 3), (10, 3)),
        ((10, None), (10, 2)),
        (None, (None, None)),
        ((None, None), (None, None)),
    ],
)
def test_water_marks(limits: Any, marks: tuple[int | None, int | None]) -> None:
    assert water_marks(limits) == marks


@pytest.mark.parametrize("limits", [-1, (1, 2), (1, -1), (None, 1)])
def test_wrong_water_marks(limits: Any) -> None:
    with pytest.raises(ValueError, match="water mark"):
        water_marks(limits)


def test_keepalive_pings_at_every_interval_while_the_peer_is_heard() -> None:
    session = FakeFrontEnd()
    session._start_keepalive()
    times = []
    for _ in range(6):
        pings = session.pings_sent()
        session.to_deadline()
        if session.pings_sent() > pings:
            times.append(session.now)
        session._heard = True
    assert times[:3] == [120, 140, 160]
    assert session.state is State.OPEN
    assert len(session._pings) == 1  # without a single pong the map does not grow


def test_a_silent_peer_fails_the_connection_and_then_is_cut_off() -> None:
    session = FakeFrontEnd(ping_interval=20, ping_timeout=5, close_timeout=10)
    session._start_keepalive()
    session.to_deadline()
    assert (session.now, session.pings_sent()) == (120, 1)
    session.to_deadline()
    assert (session.now, session.closes_sent()) == (125, [1011])
    assert str(session.protocol.cause) == (
        "no byte received in the 5.0 s since a ping (ping_timeout=5 s)"
    )
    assert not session.aborted
    session.to_deadline()
    assert (session.now, session.aborted) == (135, True)


def test_a04_the_cause_names_what_waits_and_how_late_the_loop_was() -> None:
    session = FakeFrontEnd(ping_timeout=5)
    session.unsent = 1000
    session._start_keepalive()
    session.to_deadline()
    session.now += 8
    session._tick()
    assert str(session.protocol.cause) == (
        "no byte received in the 8.0 s since a ping (ping_timeout=5 s); 1000 bytes that the peer "
        "has not taken wait; the timer was 3.0 s late"
    )


@pytest.mark.parametrize("life", ["a byte", "bytes taken", "paused"])
def test_life_is_any_byte_or_any_taken_and_a_paused_reading_proves_nothing(life: str) -> None:
    session = FakeFrontEnd(ping_timeout=5)
    session.unsent = 0 if life == "paused" else 1000
    session._start_keepalive()
    for _ in range(5):
        session.to_deadline()
        if life == "a byte":
            session.receive(b"")
        elif life == "bytes taken":
            session.unsent -= 1
        else:
            session._reading_paused = True
    assert session.state is State.OPEN
    assert session.closes_sent() == []


def test_a_peer_that_takes_as_much_as_is_sent_anew_is_alive() -> None:
    session = FakeFrontEnd(ping_timeout=5)
    session.unsent = 1000
    session._start_keepalive()
    for _ in range(5):
        session.to_deadline()
        session._written += 1000  # and as much was taken: the backlog is what it was
    assert session.state is State.OPEN


def test_a_paused_reading_does_not_excuse_a_backlog_that_stands_still() -> None:
    session = FakeFrontEnd(ping_timeout=5)
    session.unsent = 1000
    session._reading_paused = True
    session._start_keepalive()
    session.to_deadline()
    session.to_deadline()
    assert session.state is State.CLOSING
    assert session.protocol.cause is not None


def test_a_silence_does_not_start_anew_with_the_next_ping() -> None:
    session = FakeFrontEnd(ping_interval=2, ping_timeout=5)
    session._start_keepalive()
    while session.state is State.OPEN:
        session.to_deadline()
    assert session.now == 107


@pytest.mark.parametrize(
    "options", [{"ping_interval": None}, {"ping_interval": None, "ping_timeout": 0.1}]
)
def test_no_interval_no_deadline(options: dict[str, Any]) -> None:
    session = FakeFrontEnd(**options)
    session._start_keepalive()
    assert session.deadline is None


def test_no_timeout_no_failure() -> None:
    session = FakeFrontEnd(ping_timeout=None)
    session._start_keepalive()
    for _ in range(10):
        session.to_deadline()
    assert session.pings_sent() == 10
    assert session.state is State.OPEN


def test_pongs_settle_their_ping_and_those_before_it() -> None:
    session = FakeFrontEnd()
    for name in ("a", "b", "c"):
        session._send_ping(name, name)
        session.now += 1
    session.receive(pong(b"unasked"), pong(b"b"))
    assert session.settled == {"a": 3, "b": 2}
    assert session.latency == 2
    session.receive(pong(b"a"), pong(b"b"))
    assert set(session.settled) == {"a", "b"}
    session.lose()
    assert isinstance(session.settled["c"], ConnectionClosedError)


def test_the_same_payload_waits_once() -> None:
    session = FakeFrontEnd()
    session._send_ping(b"same", "first")
    with pytest.raises(ConcurrencyError):
        session._send_ping("same", "second")
    assert session.pings_sent() == 1
    session._send_ping(None, "random")
    assert sorted(map(len, session._pings)) == [4, 4]


def test_a_keepalive_ping_forgets_only_the_keepalive_ping_before_it() -> None:
    session = FakeFrontEnd()
    session._send_ping(b"", "by hand")
    for _ in range(3):
        session._send_ping(None, None)
    assert len(session._pings) == 2
    session.receive(pong(b""))
    assert set(session.settled) == {"by hand"}


def test_control_payloads() -> None:
    assert control_payload("é") == "é".encode()
    assert control_payload(memoryview(b"ab")) == b"ab"
    wrong: Any = 1
    with pytest.raises(TypeError):
        control_payload(wrong)


def test_reading_pauses_above_the_high_mark_and_goes_on_at_the_low_one() -> None:
    session = FakeFrontEnd(max_queue=(3, 1))
    session.receive(*[text("x")] * 3)
    assert session.reading
    session.receive(text("x"))
    assert not session.reading
    for _ in range(2):
        session._take_message()
        assert not session.reading
    session._take_message()
    assert session.reading


def test_reading_pauses_above_a_number_of_bytes() -> None:
    session = FakeFrontEnd(max_queue=1000)
    half = Frame(Opcode.BINARY, bytes(MAX_QUEUED_BYTES // 2))
    session.receive(half, half)
    assert session.reading
    session.receive(text("x"))
    assert not session.reading


def test_messages_are_taken_whole_and_fragments_one_by_one() -> None:
    session = FakeFrontEnd()
    session.receive(text("a", fin=False), Frame(Opcode.CONT, b"b", fin=False))
    assert not session._has_message()
    session.receive(Frame(Opcode.CONT, b"c"), text("d"), text("e", fin=False))
    assert session._has_message()
    assert session._take_message() == "abc"
    assert session._take_message() == "d"
    assert not session._has_message()
    fragment = session._take_fragment()
    assert isinstance(fragment, Frame)
    assert fragment.data == b"e"
    session.receive(Frame(Opcode.CONT, b"f"))
    assert session._has_message()


def test_a_violation_waits_for_what_came_before_it_to_be_answered() -> None:
    session = FakeFrontEnd()
    session.receive(text("1"))
    assert session._take_message() == "1"
    session.receive(VIOLATION)
    assert session.closes_sent() == []
    assert session.state is State.OPEN
    session._message_in_hand = False
    session._fail_in_turn()
    assert session.closes_sent() == [1002]


def test_a_violation_alone_fails_at_once() -> None:
    session = FakeFrontEnd()
    session.receive(VIOLATION)
    assert session.closes_sent() == [1002]
    assert session.deadline == 110
    session.to_deadline()
    assert session.aborted


def test_a_violation_whose_turn_does_not_come_has_a_deadline() -> None:
    session = FakeFrontEnd(close_timeout=10)
    session.receive(text("1"), VIOLATION)
    session.to_deadline()
    assert (session.now, session.closes_sent(), session.aborted) == (110, [1002], False)
    session.to_deadline()
    assert (session.now, session.aborted) == (120, True)


def test_closing_before_the_violations_turn_fails_the_connection() -> None:
    session = FakeFrontEnd()
    session.receive(text("1"), VIOLATION)
    session._start_closing(1000, "")
    assert session.closes_sent() == [1002]


def test_closing_has_a_deadline_and_starts_reading_again() -> None:
    session = FakeFrontEnd(max_queue=1, close_timeout=10)
    session.receive(text("1"), text("2"))
    assert not session.reading
    session._start_closing(1000, "bye")
    assert session.reading
    assert session.protocol.close_sent == Close(1000, "bye")
    session.receive(*[text("late")] * 100)
    assert len(session.protocol.messages) <= 102
    session.to_deadline()
    assert (session.now, session.aborted) == (110, True)


def test_a_code_that_must_not_travel_changes_nothing() -> None:
    session = FakeFrontEnd()
    with pytest.raises(ProtocolError):
        session._start_closing(CloseCode.ABNORMAL_CLOSURE, "")
    assert session.state is State.OPEN
    assert session.deadline is None


def test_no_close_timeout_no_deadline() -> None:
    session = FakeFrontEnd(close_timeout=None)
    session._start_closing(1000, "")
    assert session.deadline is None


def test_the_end_settles_everything() -> None:
    session = FakeFrontEnd()
    session._start_keepalive()
    session._send_ping(b"x", "waiter")
    session.lose()
    session._deadline_changed()
    assert session.deadline is None
    assert session._pings == {}
    assert (session.close_code, session.close_reason) == (1006, "")
