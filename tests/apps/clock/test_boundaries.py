"""apps.clock.boundaries: exact multiples without drift, also when the clock is changed."""

import asyncio
import time

import pytest

from apps.clock import boundaries as module
from apps.clock.boundaries import boundaries, iso


class FakeClock:
    """A wall clock; `sleep` advances it by the delay plus the next of `errors` (ms)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, start: int, errors: list[int]) -> None:
        self.now = start
        self.errors = iter(errors)
        monkeypatch.setattr(module, "now", lambda: self.now)
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += round(seconds * 1000) + next(self.errors)

    async def take(self, interval: int, count: int) -> list[tuple[int, int]]:
        """Return the next boundaries and the times at which they were reached."""
        reached = boundaries(interval)
        return [(await anext(reached), self.now) for _ in range(count)]


async def test_late_wakes_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock(monkeypatch, 10_500, [0, 40, 40, 0])
    assert await clock.take(3000, 4) == [
        (12_000, 12_000),
        (15_000, 15_040),
        (18_000, 18_040),
        (21_000, 21_000),
    ]


async def test_an_early_wake_gives_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock(monkeypatch, 10_500, [-1, 0, -30, -1, 0])
    assert await clock.take(3000, 2) == [(12_000, 12_000), (15_000, 15_000)]


async def test_on_a_boundary_the_next_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock(monkeypatch, 12_000, [0])
    assert await clock.take(3000, 1) == [(15_000, 15_000)]


async def test_what_went_by_unseen_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock(monkeypatch, 10_500, [3_600_000, 0])
    assert await clock.take(3000, 2) == [(3_612_000, 3_612_000), (3_615_000, 3_615_000)]


async def test_a_clock_set_back_goes_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock(monkeypatch, 3_610_500, [-3_600_500, 0, 0])
    assert await clock.take(3000, 2) == [(12_000, 12_000), (15_000, 15_000)]


async def test_with_the_real_clock() -> None:
    interval, seen, last = 50, [], 0
    async for boundary in boundaries(interval):
        late = time.time() * 1000 - boundary
        assert boundary % interval == 0
        assert boundary > last
        assert 0 <= late < interval
        seen.append(boundary)
        last = boundary
        if len(seen) == 6:
            break


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_785_585_603_000, "2026-08-01T12:00:03.000Z"),
        (1_785_585_603_045, "2026-08-01T12:00:03.045Z"),
    ],
)
def test_iso(milliseconds: int, text: str) -> None:
    assert iso(milliseconds) == text
