"""ws6455.session.keepalive: pings, pongs and silence, with a clock that the test moves."""

from typing import Any

import pytest

from ws6455.exceptions import ConcurrencyError
from ws6455.session.keepalive import Keepalive, control_payload


class Output:
    """Progress of bytes that the test sets."""

    unsent = sent = 0

    def unsent_bytes(self) -> int:
        return self.unsent

    def sent_bytes(self) -> int:
        return self.sent


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def keepalive(
    interval: float | None = 20, timeout: float | None = 5
) -> tuple[Keepalive, Clock, Output]:
    clock, output = Clock(), Output()
    made = Keepalive(clock, output, interval, timeout)
    made.start()
    return made, clock, output


def test_control_payloads() -> None:
    assert control_payload("é") == "é".encode()
    assert control_payload(memoryview(b"ab")) == b"ab"
    wrong: Any = 1
    with pytest.raises(TypeError):
        control_payload(wrong)


def test_a_payload_is_chosen_at_random_and_given_ones_wait_once() -> None:
    alive, _, _ = keepalive()
    chosen = alive.choose_payload(None)
    assert len(chosen) == 4
    assert alive.choose_payload("given") == b"given"
    alive.add_ping(b"given", "waiter")
    with pytest.raises(ConcurrencyError):
        alive.choose_payload(b"given")


def test_a_pong_settles_its_ping_and_earlier_ones() -> None:
    alive, clock, _ = keepalive()
    for name in ("a", "b", "c"):
        alive.add_ping(name.encode(), name)
        clock.now += 1
    assert list(alive.receive_pong(b"unasked")) == []
    assert alive.latency == 0
    assert list(alive.receive_pong(b"b")) == [("a", 3), ("b", 2)]
    assert alive.latency == 2
    assert list(alive.receive_pong(b"a")) == []
    assert alive.stop() == ["c"]
    assert not alive.pings


def test_only_the_latest_of_its_own_pings_is_kept() -> None:
    alive, _, _ = keepalive()
    alive.add_ping(b"by hand", "waiter")
    for number in range(3):
        alive.add_ping(b"%d" % number, None)
    assert list(alive.pings) == [b"by hand", b"2"]
    assert list(alive.receive_pong(b"2")) == [("waiter", 0)]


def test_connections_do_not_share_pings() -> None:
    one, other = keepalive()[0], keepalive()[0]
    one.add_ping(b"x", "waiter")
    assert not other.pings
    one.stop()
    assert not keepalive()[0].pings


def test_a_ping_is_due_at_every_interval() -> None:
    alive, clock, _ = keepalive(interval=20, timeout=None)
    assert alive.next_deadline() == 120
    assert not alive.is_ping_due(119)
    clock.now = 120
    assert alive.is_ping_due(120)
    assert alive.next_deadline() == 140
    assert not alive.is_ping_due(121)


def test_without_an_interval_nothing_is_due() -> None:
    alive, _, _ = keepalive(interval=None)
    assert alive.next_deadline() is None
    assert not alive.is_ping_due(1000)
    assert alive.find_timeout(1000, False) is None


def test_silence_after_a_ping_is_a_timeout() -> None:
    alive, _, _ = keepalive(interval=20, timeout=5)
    assert alive.is_ping_due(120)
    assert alive.is_waiting
    assert alive.next_deadline() == 125
    assert alive.find_timeout(124, False) is None
    error = alive.find_timeout(125, False)
    assert str(error) == "no byte received in the 5.0 s since a ping (ping_timeout=5 s)"


@pytest.mark.parametrize("life", ["a byte", "bytes sent", "paused"])
def test_signs_of_life_end_the_wait(life: str) -> None:
    alive, _, output = keepalive()
    output.unsent = 0 if life == "paused" else 1000
    assert alive.is_ping_due(120)
    if life == "a byte":
        alive.heard = True
    elif life == "bytes sent":
        output.sent += 1
    assert alive.find_timeout(125, reading_paused=life == "paused") is None
    assert not alive.is_waiting
    assert alive.next_deadline() == 140


def test_a_backlog_that_begins_after_the_ping_counts_from_its_beginning() -> None:
    alive, _, output = keepalive()
    assert alive.is_ping_due(120)
    output.sent, output.unsent = 1000, 1000
    alive.note_backlog()
    assert alive.find_timeout(125, False) is not None
    output.sent = 1001
    assert alive.find_timeout(125, False) is None


def test_stopping_leaves_no_deadline() -> None:
    alive, _, _ = keepalive()
    assert alive.is_ping_due(120)
    assert alive.stop() == []
    assert alive.next_deadline() is None
