"""What a client that connects again and again goes by: the connection it has, and the next attempt.

A front end connects and waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from .client_session import ClientSession
from .typing import LoggerLike

__all__ = ["Attempts", "Reconnecting"]

Connection = TypeVar("Connection", bound=ClientSession)


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
