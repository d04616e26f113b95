"""The delays between attempts to connect, with the names that `websockets` gives the arguments.

Floor 6.
"""

from __future__ import annotations

from collections.abc import Iterator

from .. import reconnecting

__all__ = ["backoff"]


def backoff(
    initial_delay: float = reconnecting.INITIAL_DELAY,
    min_delay: float = reconnecting.MIN_DELAY,
    max_delay: float = reconnecting.MAX_DELAY,
    factor: float = reconnecting.FACTOR,
) -> Iterator[float]:
    """Return the seconds to wait before each attempt; see :func:`ws6455.reconnecting.backoff`."""
    return reconnecting.backoff(initial_delay, min_delay, max_delay, factor)
