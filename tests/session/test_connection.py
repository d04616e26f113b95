"""ws6455.session.connection, with a clock that the test moves and an I/O that only takes notes."""

from typing import Any

import pytest

from tests.session.fake_io import FakeIO
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
from ws6455.protocol.receive_queue import MAX_QUEUED_BYTES
from ws6455.session.connection import BaseConnection

VIOLATION = b"\x83\x80\x00\x00\x00\x00"


class FakeConnection(BaseConnection):
    """Notes what the base asks of a front end."""

    def __init__(self, **options: Any) -> None:
        self.now = 100.0
        settings: dict[str, Any] = {
            "ping_interval": 20,
            "ping_timeout": 20,
            "close_timeout": 10,
            "max_queue": 16,
        }
        protocol = ServerProtocol(state=State.OPEN)
        self.io = FakeIO(protocol)
        super().__init__(protocol, self.io, lambda: self.now, **(settings | options))
        self.aborted = False
        self.settled: dict[str, float | ConnectionClosed] = {}
        self.deadline: float | None = None

    def _abort(self) -> None:
        self.aborted = True

    def _settle_ping(self, waiter: str, outcome: float | ConnectionClosed) -> None:
        self.settled[waiter] = outcome

    def _reschedule(self) -> None:
        self.deadline = self._next_deadline()

    # What the test does

    def receive(self, *frames: Frame | bytes) -> None:
        for frame in frames:
            data = frame if isinstance(frame, bytes) else frame.serialize(mask=True)
            self.protocol.receive_data(data)
        self._keepalive.heard = True
        if self.protocol.has_events:
            self._process_events()
        self._check_high_water_mark()

    def to_deadline(self) -> None:
        """Let the time go on to the next deadline, and do what is due."""
        assert self.deadline is not None
        self.now = self.deadline
        self._tick()

    def lose(self) -> None:
        self.io.lost = True
        self._lose_transport(None)

    def closes_sent(self) -> list[int]:
        return [int.from_bytes(f[2:4], "big") for f in self.io.written if f[:1] == b"\x88"]

    def pings_sent(self) -> int:
        return sum(frame[:1] == b"\x89" for frame in self.io.written)


def text(data: str, fin: bool = True) -> Frame:
    return Frame(Opcode.TEXT, data.encode(), fin)


def pong(data: bytes) -> Frame:
    return Frame(Opcode.PONG, data)


def test_keepalive_pings_at_every_interval_while_the_peer_is_heard() -> None:
    connection = FakeConnection()
    connection._start()
    times = []
    for _ in range(6):
        pings = connection.pings_sent()
        connection.to_deadline()
        if connection.pings_sent() > pings:
            times.append(connection.now)
        connection._keepalive.heard = True
    assert times[:3] == [120, 140, 160]
    assert connection.state is State.OPEN
    assert len(connection._keepalive.pings) == 1  # without a single pong the map does not grow


def test_a_silent_peer_fails_the_connection_and_then_is_cut_off() -> None:
    connection = FakeConnection(ping_interval=20, ping_timeout=5, close_timeout=10)
    connection._start()
    connection.to_deadline()
    assert (connection.now, connection.pings_sent()) == (120, 1)
    connection.to_deadline()
    assert (connection.now, connection.closes_sent()) == (125, [1011])
    assert str(connection.protocol.cause) == (
        "no byte received in the 5.0 s since a ping (ping_timeout=5 s)"
    )
    assert not connection.aborted
    connection.to_deadline()
    assert (connection.now, connection.aborted) == (135, True)


def test_a04_the_cause_names_what_waits_and_how_late_the_loop_was() -> None:
    connection = FakeConnection(ping_timeout=5)
    connection.io.unsent = 1000
    connection._start()
    connection.to_deadline()
    connection.now += 8
    connection._tick()
    assert str(connection.protocol.cause) == (
        "no byte received in the 8.0 s since a ping (ping_timeout=5 s); 1000 bytes that the peer "
        "has not taken wait; the timer was 3.0 s late"
    )


@pytest.mark.parametrize("life", ["a byte", "bytes taken", "paused"])
def test_life_is_any_byte_or_any_taken_and_a_paused_reading_proves_nothing(life: str) -> None:
    connection = FakeConnection(ping_timeout=5)
    connection.io.unsent = 0 if life == "paused" else 1000
    connection._start()
    for _ in range(5):
        connection.to_deadline()
        if life == "a byte":
            connection.receive(b"")
        elif life == "bytes taken":
            connection.io.unsent -= 1
        else:
            connection._reading_paused = True
    assert connection.state is State.OPEN
    assert connection.closes_sent() == []


def test_a_peer_that_takes_as_much_as_is_sent_anew_is_alive() -> None:
    connection = FakeConnection(ping_timeout=5)
    connection.io.unsent = 1000
    connection._start()
    for _ in range(5):
        connection.to_deadline()
        connection.io.send(1000)  # and as much was taken: the backlog is what it was
    assert connection.state is State.OPEN


def test_a_paused_reading_does_not_excuse_a_backlog_that_stands_still() -> None:
    connection = FakeConnection(ping_timeout=5)
    connection.io.unsent = 1000
    connection._reading_paused = True
    connection._start()
    connection.to_deadline()
    connection.to_deadline()
    assert connection.protocol.state is State.CLOSING
    assert connection.protocol.cause is not None


def test_a_silence_does_not_start_anew_with_the_next_ping() -> None:
    connection = FakeConnection(ping_interval=2, ping_timeout=5)
    connection._start()
    while connection.state is State.OPEN:
        connection.to_deadline()
    assert connection.now == 107


@pytest.mark.parametrize(
    "options", [{"ping_interval": None}, {"ping_interval": None, "ping_timeout": 0.1}]
)
def test_no_interval_no_deadline(options: dict[str, Any]) -> None:
    connection = FakeConnection(**options)
    connection._start()
    assert connection.deadline is None


def test_no_timeout_no_failure() -> None:
    connection = FakeConnection(ping_timeout=None)
    connection._start()
    for _ in range(10):
        connection.to_deadline()
    assert connection.pings_sent() == 10
    assert connection.state is State.OPEN


def test_pongs_settle_their_ping_and_those_before_it() -> None:
    connection = FakeConnection()
    for name in ("a", "b", "c"):
        connection._send_ping(name, name)
        connection.now += 1
    connection.receive(pong(b"unasked"), pong(b"b"))
    assert connection.settled == {"a": 3, "b": 2}
    assert connection.latency == 2
    connection.receive(pong(b"a"), pong(b"b"))
    assert set(connection.settled) == {"a", "b"}
    connection.lose()
    assert isinstance(connection.settled["c"], ConnectionClosedError)


def test_the_same_payload_waits_once() -> None:
    connection = FakeConnection()
    connection._send_ping(b"same", "first")
    with pytest.raises(ConcurrencyError):
        connection._send_ping("same", "second")
    assert connection.pings_sent() == 1
    connection._send_ping(None, "random")
    assert sorted(map(len, connection._keepalive.pings)) == [4, 4]


def test_a_keepalive_ping_forgets_only_the_keepalive_ping_before_it() -> None:
    connection = FakeConnection()
    connection._send_ping(b"", "by hand")
    for _ in range(3):
        connection._send_ping(None, None)
    assert len(connection._keepalive.pings) == 2
    connection.receive(pong(b""))
    assert set(connection.settled) == {"by hand"}


def test_reading_pauses_above_the_high_mark_and_goes_on_at_the_low_one() -> None:
    connection = FakeConnection(max_queue=(3, 1))
    connection.receive(*[text("x")] * 3)
    assert connection.io.reading
    connection.receive(text("x"))
    assert not connection.io.reading
    for _ in range(2):
        connection._take_message(None)
        assert not connection.io.reading
    connection._take_message(None)
    assert connection.io.reading


def test_reading_pauses_above_a_number_of_bytes() -> None:
    connection = FakeConnection(max_queue=1000)
    half = Frame(Opcode.BINARY, bytes(MAX_QUEUED_BYTES // 2))
    connection.receive(half, half)
    assert connection.io.reading
    connection.receive(text("x"))
    assert not connection.io.reading


def test_a_violation_waits_for_what_came_before_it_to_be_answered() -> None:
    connection = FakeConnection()
    connection.receive(text("1"))
    assert connection._take_message(None) == "1"
    connection.receive(VIOLATION)
    assert connection.closes_sent() == []
    assert connection.state is State.OPEN
    with pytest.raises(ConnectionClosedError, match="reserved opcode"):
        connection._prepare_to_wait()
    assert connection.closes_sent() == [1002]


def test_a_violation_alone_fails_at_once() -> None:
    connection = FakeConnection()
    connection.receive(VIOLATION)
    assert connection.closes_sent() == [1002]
    assert connection.deadline == 110
    connection.to_deadline()
    assert connection.aborted


def test_a_violation_whose_turn_does_not_come_has_a_deadline() -> None:
    connection = FakeConnection(close_timeout=10)
    connection.receive(text("1"), VIOLATION)
    connection.to_deadline()
    assert (connection.now, connection.closes_sent(), connection.aborted) == (110, [1002], False)
    connection.to_deadline()
    assert (connection.now, connection.aborted) == (120, True)


def test_closing_before_the_violations_turn_fails_the_connection() -> None:
    connection = FakeConnection()
    connection.receive(text("1"), VIOLATION)
    connection._start_closing(1000, "")
    assert connection.closes_sent() == [1002]


def test_closing_has_a_deadline_and_starts_reading_again() -> None:
    connection = FakeConnection(max_queue=1, close_timeout=10)
    connection.receive(text("1"), text("2"))
    assert not connection.io.reading
    connection._start_closing(1000, "bye")
    assert connection.io.reading
    assert connection.protocol.close_sent == Close(1000, "bye")
    connection.receive(*[text("late")] * 100)
    assert len(connection.protocol.queue.messages) <= 102
    connection.to_deadline()
    assert (connection.now, connection.aborted) == (110, True)


def test_a_code_that_must_not_travel_changes_nothing() -> None:
    connection = FakeConnection()
    with pytest.raises(ProtocolError):
        connection._start_closing(CloseCode.ABNORMAL_CLOSURE, "")
    assert connection.state is State.OPEN
    assert connection.deadline is None


def test_no_close_timeout_no_deadline() -> None:
    connection = FakeConnection(close_timeout=None)
    connection._start_closing(1000, "")
    assert connection.deadline is None


def test_the_end_settles_everything() -> None:
    connection = FakeConnection()
    connection._start()
    connection._send_ping(b"x", "waiter")
    connection.lose()
    connection._reschedule()
    assert connection.deadline is None
    assert not connection._keepalive.pings
    assert (connection.close_code, connection.close_reason) == (1006, "")
