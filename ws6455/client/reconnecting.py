"""Reconnecting: retryable errors and delays. A front end connects and sleeps."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from ..exceptions import InvalidMessage, InvalidStatus
from ..settings import setting
from ..typing import LoggerLike
from .session import ClientSession

__all__ = ["Reconnecting", "RetrySchedule", "backoff", "process_exception"]

Connection = TypeVar("Connection", bound=ClientSession)

INITIAL_DELAY = setting("BACKOFF_INITIAL_DELAY", 5.0)
MIN_DELAY = setting("BACKOFF_MIN_DELAY", 3.1)
MAX_DELAY = setting("BACKOFF_MAX_DELAY", 90.0)
FACTOR = setting("BACKOFF_FACTOR", 1.618)

_TRANSIENT_STATUSES = (500, 502, 503, 504)


def process_exception(exc: Exception) -> Exception | None:
    """Decide whether an error is transient, so that another attempt may succeed.

    Args:
        exc: the error of the last attempt.

    Returns:
        None to try again: for errors of the network, timeouts, a connection lost during the
        handshake, and the statuses 500, 502, 503 and 504. Any other error is returned, to be
        raised.
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

    The first delay is random, so that clients do not all reconnect at once when a server restarts.

    Args:
        initial_delay: upper bound of the first delay in seconds.
        min_delay: second delay.
        max_delay: upper bound of the delays after it.
        factor: growth factor of the delays from the second on.
    """
    yield random.random() * initial_delay
    delay = min_delay
    while True:
        yield delay
        delay = min(delay * factor, max_delay)


class Reconnecting(Generic[Connection]):
    """Base of a reconnecting client, shared by both front ends.

    Args:
        process_exception: returns None to try again, or the exception to raise.
        reconnect_delays: returns an iterator of delays in seconds; called again after each
            success.
        logger: logs failed attempts.

    Attributes:
        connection: connection of the ``with`` statement being executed; None outside of one.
        logger: see the argument.
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
        """Check that no ``with`` statement is using this object.

        Raises:
            RuntimeError: if one is.
        """
        if self.connection is not None:
            raise RuntimeError(f"{type(self).__name__}() isn't reentrant")

    def _enter(self, connection: Connection) -> Connection:
        self.connection = connection
        return connection

    def _leave(self) -> Connection:
        """Return the connection of the ``with`` statement, which ends."""
        assert self.connection is not None
        connection, self.connection = self.connection, None
        return connection

    def _retry_schedule(self) -> RetrySchedule:
        return RetrySchedule(self._process_exception, self._reconnect_delays, self.logger)


class RetrySchedule:
    """Delays between the attempts of a reconnecting client.

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
        """Start over with short delays, after a successful attempt."""
        self._delays = None

    def failed(self, exc: Exception) -> float | None:
        """Return the seconds to wait before the next attempt, or None to raise the error.

        Raises:
            Exception: if `process_exception` returns another exception.
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
