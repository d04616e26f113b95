"""Deadline: the one time limit of an opening handshake, shared by both front ends.

It covers the lookup of names, every address, the proxy, TLS, the handshake and redirects.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

__all__ = ["Deadline"]


class Deadline:
    """Time limit that the steps of an opening handshake share.

    Args:
        seconds: seconds from now; None for no limit.
        clock: returns the current time in seconds.

    Attributes:
        clock: see the argument.
        step: the step that has begun, such as ``"resolving example.com"``, for the text of the
            error.
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float]) -> None:
        self.step = "connecting"
        self._seconds = seconds
        self.clock = clock
        self._end = None if seconds is None else clock() + seconds

    def left(self) -> float | None:
        """Return the seconds left; None for no limit.

        Raises:
            TimeoutError: if no time is left.
        """
        if self._end is None:
            return None
        left = self._end - self.clock()
        if left <= 0:
            raise self.error()
        return left

    def error(self) -> TimeoutError:
        """Return the error of a handshake that was not done in time."""
        limit = "" if self._seconds is None else f", after {self._seconds:g} s"
        return TimeoutError(f"timed out during opening handshake{limit}, while {self.step}")

    @contextlib.contextmanager
    def naming_step(self) -> Iterator[None]:
        """Replace the error of a socket whose timeout was the time left.

        An error of the operating system, such as ETIMEDOUT, is not replaced.
        """
        try:
            yield
        except TimeoutError as exc:
            if self._seconds is None or exc.errno is not None:
                raise
            raise self.error() from exc
