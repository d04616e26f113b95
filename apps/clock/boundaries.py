"""Waiting for the multiples of an interval on the wall clock."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime


def now() -> int:
    """Return the wall clock's time in whole milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def iso(milliseconds: int) -> str:
    """Format a time since 1970 as UTC in ISO 8601, with milliseconds and a Z."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03}Z"


async def boundaries(interval: int) -> AsyncIterator[int]:
    """Yield each multiple of `interval` when the clock reaches it; both in milliseconds.

    Each delay is computed from the clock, so errors do not accumulate and there is no drift.
    Multiples missed while the machine slept are skipped. After the clock is set back, the
    iteration continues from the new time.
    """
    while True:
        due = (now() // interval + 1) * interval
        await asyncio.sleep((due - now()) / 1000)
        reached = now() // interval * interval
        if reached >= due:  # else the sleep was short, or the clock was set back
            yield reached
