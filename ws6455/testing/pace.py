"""Timing of one direction of a network: latency, jitter and bandwidth."""

from __future__ import annotations

import random

__all__ = ["Pace", "chunk_size"]

# Seconds. A gap up to this length is attributed to a late timer and does not reduce the bandwidth.
_TIMER_TOLERANCE = 0.05


def chunk_size(bandwidth: float) -> int:
    """Return the size of a read in bytes: as much as passes in 10 ms, at most 64 KiB."""
    return int(max(1, min(1 << 16, bandwidth / 100)))


class Pace:
    """Departure and arrival times for one direction of one connection.

    Args:
        seed: seed of the jitter; the same seed gives the same delays.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._free_at = 0.0
        self._last_arrival = 0.0

    def leaves_at(self, now: float, size: int, bandwidth: float) -> float:
        """Return the time at which the last of some bytes leaves, after all earlier bytes.

        Args:
            now: the time at which the bytes are ready to leave.
            size: the number of bytes.
            bandwidth: bytes per second.
        """
        if now > self._free_at + _TIMER_TOLERANCE:
            self._free_at = now
        self._free_at += size / bandwidth
        return max(now, self._free_at)

    def arrives_at(self, left: float, latency: float, jitter: float) -> float:
        """Return the time at which bytes arrive, never before earlier bytes.

        Args:
            left: the time at which the bytes left.
            latency: the delay in seconds.
            jitter: the maximum additional delay in seconds, drawn at random for each call.
        """
        arrival = left + latency + self._random.uniform(0, jitter)
        self._last_arrival = max(self._last_arrival, arrival)
        return self._last_arrival
