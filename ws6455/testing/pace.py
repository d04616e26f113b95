"""When bytes leave and when they arrive, on one way with latency, jitter and bandwidth."""

from __future__ import annotations

import random

__all__ = ["Pace", "chunk_size"]

# A gap no longer than this is a timer that was late, and must not cost bandwidth: what is sent
# after it goes as if there had been none.
_LATE = 0.05


def chunk_size(bandwidth: float) -> int:
    """Return how many bytes to take at once: what passes in 10 ms, 64 KiB at most."""
    return int(max(1, min(1 << 16, bandwidth / 100)))


class Pace:
    """The times of one direction of one connection.

    Args:
        seed: for the jitter; the same one gives the same delays.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._free_at = 0.0
        self._last_arrival = 0.0

    def leaves_at(self, now: float, size: int, bandwidth: float) -> float:
        """Return when the last of so many bytes is on its way, behind those before them.

        Args:
            now: when they are there.
            size: how many.
            bandwidth: bytes per second.
        """
        if now > self._free_at + _LATE:
            self._free_at = now
        self._free_at += size / bandwidth
        return max(now, self._free_at)

    def arrives_at(self, left: float, latency: float, jitter: float) -> float:
        """Return when bytes arrive; never before those that left earlier.

        Args:
            left: when they left.
            latency: seconds that all take.
            jitter: seconds that they may take more; how many is drawn for each call.
        """
        arrival = left + latency + self._random.uniform(0, jitter)
        self._last_arrival = max(self._last_arrival, arrival)
        return self._last_arrival
