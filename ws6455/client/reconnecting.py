"""Reconnecting: whether and when a client tries again; a front end connects and waits."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from ..exceptions import InvalidMessage, InvalidStatus
from ..settings import setting
from ..typing import LoggerLike
from .session import ClientSession

__all__ = ["Attempts", "Reconnecting", "backoff", "process_exception"]

Connection = TypeVar("Connection", bound=ClientSession)

INITIAL_DELAY = setting("BACKOFF_INITIAL_DELAY", 5.0)
MIN_DELAY = setting("BACKOFF_MIN_DELAY", 3.1)
MAX_DELAY = setting("BACKOFF_MAX_DELAY", 90.0)
FACTOR = setting("BACKOFF_FACTOR", 1.618)

_TRANSIENT_STATUSES = (500, 502, 503, 504)


def process_exception(exc: Exception) -> Exception | None:
    """Tell whether another attempt may succeed.

    Args:
        exc: why the last one failed.

    Returns:
        None to try again: the network, a deadline, a connection cut within the handshake, a
        server that is overloaded (500, 502, 503, 504). Anything else is returned, to be raised.
    """
    if isinstance(exc, OSError | TimeoutError):
        return None
    if isinstance(exc, InvalidMessage) and isinstance(exc.__cause__, EOFError):
        return None
    if isinstance(exc, InvalidStatus) and exc.response.status_code in _TRANSIENT_STATUSES:
        return None
    return exc


def backoff(
    initial_delay: float = INITIAL_DELAY,
    min_delay: float = MIN_DELAY,
    max_delay: float = MAX_DELAY,
    factor: float = FACTOR,
) -> Iterator[float]:
    """Yield the seconds to wait before each attempt to reconnect, without end.

    The first is random, so that the clients of a server that restarts do not all come at once.

    Args:
        initial_delay: seconds that the first is below.
        min_delay: the second.
        max_delay: none of those after it is longer.
        factor: by which each of them is longer than the one before.
    """
    yield random.random() * initial_delay
    delay = min_delay
    while True:
        yield delay
        delay = min(delay * factor, max_delay)


class Reconnecting(Generic[Connection]):
    """What a front end's client for one connection after the other is made of.

    Args:
        process_exception: returns None to try again, or what to raise.
        reconnect_delays: makes the iterator of the seconds to wait, anew after each success.
        logger: where failures are noted.

    Attributes:
        connection: the one that a ``with`` statement has entered; None outside of it.
        logger: the same.
    """

    def __init__(
        self,
        process_exception: Callable[[Exception], Exception | None],
        reconnect_delays: Callable[[], Iterator[float]],
        logger: LoggerLike,
    ) -> None:
        self.connection: Connection | None = None
        self.logger = logger
        self._process_exception = process_exception
        self._reconnect_delays = reconnect_delays

    def _check_not_entered(self) -> None:
        """Check that no ``with`` statement has entered this.

        Raises:
            RuntimeError: if one has.
        """
        if self.connection is not None:
            raise RuntimeError(f"{type(self).__name__}() isn't reentrant")

    def _enter(self, connection: Connection) -> Connection:
        self.connection = connection
        return connection

    def _leave(self) -> Connection:
        """Return the connection that was entered, which is no longer."""
        assert self.connection is not None
        connection, self.connection = self.connection, None
        return connection

    def _attempts(self) -> Attempts:
        return Attempts(self._process_exception, self._reconnect_delays, self.logger)


class Attempts:
    """Which attempt is the last, and when is the next.

    Args:
        process_exception, reconnect_delays, logger: see :class:`Reconnecting`.
    """

    def __init__(
        self,
        process_exception: Callable[[Exception], Exception | None],
        reconnect_delays: Callable[[], Iterator[float]],
        logger: LoggerLike,
    ) -> None:
        self._process_exception = process_exception
        self._reconnect_delays = reconnect_delays
        self._logger = logger
        self._delays: Iterator[float] | None = None

    def succeeded(self) -> None:
        """Begin with short delays again."""
        self._delays = None

    def failed(self, exc: Exception) -> float | None:
        """Return the seconds to wait before the next attempt, or None to raise what failed.

        Raises:
            Exception: what `process_exception` has made of it.
        """
        fatal = self._process_exception(exc)
        if fatal is exc:
            return None
        if fatal is not None:
            raise fatal from exc
        if self._delays is None:
            self._delays = self._reconnect_delays()
        delay = next(self._delays, None)
        if delay is not None:
            self._logger.info("connect failed; reconnecting in %.1f seconds: %r", delay, exc)
        return delay
