"""The multiples of an interval on the wall clock, as they are reached."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime


def now() -> int:
    """Give the wall clock's time in whole milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def iso(milliseconds: int) -> str:
    """Give a time since 1970 as UTC in ISO 8601, with milliseconds and a Z."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03}Z"


async def boundaries(interval: int) -> AsyncIterator[int]:
    """Give each multiple of `interval` when it is reached; both in milliseconds.

    Each wait is worked out from the clock, so nothing adds up: no drift. Multiples that went by
    unseen (the machine slept) are left out. When the clock is set back, it goes on from there.
    """
    while True:
        due = (now() // interval + 1) * interval
        await asyncio.sleep((due - now()) / 1000)
        reached = now() // interval * interval
        if reached >= due:  # else the sleep was short, or the clock was set back
            yield reached
