"""Tests of the departure and arrival times, without a clock."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ws6455.testing.pace import Pace, chunk_size


def test_bytes_wait_for_those_before_them() -> None:
    pace = Pace("")
    assert [pace.leaves_at(100.0, 50, 100) for _ in range(3)] == [100.5, 101.0, 101.5]


def test_after_a_rest_nothing_is_made_up_for() -> None:
    pace = Pace("")
    assert pace.leaves_at(100.0, 50, 100) == 100.5
    assert pace.leaves_at(200.0, 50, 100) == 200.5


def test_a_late_timer_costs_no_bandwidth() -> None:
    pace = Pace("")
    now = 100.0
    for _ in range(1000):
        now = pace.leaves_at(now, 100, 10_000) + 0.004
    assert now - 100.0 == pytest.approx(10.0, abs=0.01)


def test_nothing_leaves_before_it_is_there() -> None:
    pace = Pace("")
    for now in (1.0, 1.01, 1.02):
        assert pace.leaves_at(now, 1, math.inf) == now
        assert pace.leaves_at(now, 1, 1e9) >= now


def test_a_change_of_bandwidth_holds_for_what_comes_next() -> None:
    pace = Pace("")
    assert pace.leaves_at(0.0, 100, 100) == 1.0
    assert pace.leaves_at(1.0, 100, 1000) == 1.1
    assert pace.leaves_at(1.1, 100, math.inf) == 1.1


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1),
    st.text(),
)
def test_nothing_overtakes_and_nothing_is_too_early(
    steps: list[tuple[float, float, float]], seed: str
) -> None:
    pace = Pace(seed)
    left = last = 0.0
    for gap, latency, jitter in steps:
        left += gap
        arrival = pace.arrives_at(left, latency, jitter)
        assert arrival >= max(last, left + latency)
        assert arrival <= max(last, left + latency + jitter)
        last = arrival


def test_the_same_seed_draws_the_same_delays() -> None:
    def delays(seed: str) -> list[float]:
        pace = Pace(seed)
        return [pace.arrives_at(float(left), 0.0, 0.5) for left in range(20)]

    assert delays("one") == delays("one")
    assert delays("one") != delays("two")
    assert len({arrival % 1 for arrival in delays("one")}) > 10


@pytest.mark.parametrize(
    ("bandwidth", "size"), [(0.5, 1), (100, 1), (50_000, 500), (1e9, 65536), (math.inf, 65536)]
)
def test_a_piece_is_what_passes_in_ten_milliseconds(bandwidth: float, size: int) -> None:
    assert chunk_size(bandwidth) == size
