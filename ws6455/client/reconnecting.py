"""Reconnecting: retryable errors and delays. A front end connects and sleeps."""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from ..exceptions import (
    InvalidMessage,
    InvalidProxyMessage,
    InvalidProxyStatus,
    InvalidStatus,
    ProxyError,
)
from ..session.options import check_seconds, check_size
from ..settings import setting
from ..typing import LoggerLike
from .retry_after import retry_after
from .session import ClientSession

__all__ = ["Reconnecting", "RetrySchedule", "backoff", "process_exception"]

Connection = TypeVar("Connection", bound=ClientSession)

INITIAL_DELAY = setting("BACKOFF_INITIAL_DELAY", 5.0)
MIN_DELAY = setting("BACKOFF_MIN_DELAY", 3.1)
MAX_DELAY = setting("BACKOFF_MAX_DELAY", 90.0)
FACTOR = setting("BACKOFF_FACTOR", 1.618)

# Request timeout, too early, too many requests; and the errors of a server or gateway, those of
# Cloudflare (520 to 530) included, except not implemented and HTTP version not supported.
_TRANSIENT_STATUSES = frozenset({408, 425, 429, *range(500, 600)} - {501, 505})
# A connection that was lost.
_LOST_TLS = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
# Replies of a SOCKS proxy that another attempt would get again: not allowed, command or address
# type not supported (RFC 1928 §6); authentication failed (SOCKS4).
_FINAL_SOCKS_REPLIES = (0x02, 0x07, 0x08, 0x5D)


def process_exception(exc: Exception) -> Exception | None:
    """Decide whether an error is transient, so that another attempt may succeed.

    Args:
        exc: the error of the last attempt.

    Returns:
        None to try again: for errors of the network, DNS included, timeouts, a connection lost
        during the handshake, and the statuses 408, 425, 429 and 5xx except 501 and 505. The same
        applies to a proxy. Any other error is returned, to be raised: such as a certificate that
        cannot be verified, a server that does not speak TLS or HTTP, and other statuses.
    """
    return None if _is_transient(exc) else exc


def _is_transient(exc: Exception) -> bool:
    if _has_final_tls_error(exc):
        return False
    match exc:
        case InvalidStatus() | InvalidProxyStatus():
            return exc.response.status_code in _TRANSIENT_STATUSES
        case InvalidMessage() | InvalidProxyMessage():
            return isinstance(exc.__cause__, EOFError)
        case ProxyError():
            return not _is_final_socks_error(exc.__cause__)
    return isinstance(exc, OSError)


def _has_final_tls_error(exc: BaseException | None) -> bool:
    """Return True if an error, or one of its causes, is one of TLS that would occur again."""
    while exc is not None:
        if isinstance(exc, ssl.SSLError) and not isinstance(exc, _LOST_TLS):
            reason = getattr(exc, "reason", None)  # only set by the module `ssl` itself
            return not str(reason).endswith("_ALERT_INTERNAL_ERROR")
        exc = exc.__cause__
    return False


def _is_final_socks_error(exc: BaseException | None) -> bool:
    """Return True if an error of python-socks would occur again.

    Without the code of a reply, it is a connection that was lost, or a reply to the authentication.
    """
    code = getattr(exc, "error_code", None)
    if code is None:
        return type(getattr(exc, "__cause__", None)).__name__ == "ReplyError"
    return code in _FINAL_SOCKS_REPLIES


def backoff(
    initial_delay: float = INITIAL_DELAY,
    min_delay: float = MIN_DELAY,
    max_delay: float = MAX_DELAY,
    factor: float = FACTOR,
) -> Iterator[float]:
    """Yield the seconds to wait before each attempt to reconnect, without end.

    Each delay is random, from 0 to an upper bound that grows, so that clients do not all reconnect
    at once when a server restarts.

    Args:
        initial_delay: upper bound of the first delay in seconds.
        min_delay: upper bound of the second delay.
        max_delay: limit for the upper bounds after it.
        factor: growth factor of the upper bounds from the second on.
    """
    yield random.uniform(0, initial_delay)
    delay = min_delay
    while True:
        yield random.uniform(0, delay)
        delay = min(delay * factor, max_delay)


class Reconnecting(Generic[Connection]):
    """Base of a reconnecting client, shared by both front ends.

    Args:
        process_exception: returns None to try again, or the exception to raise.
        reconnect_delays: returns an iterator of delays in seconds; called again after each
            connection that lasted.
        max_attempts: attempts in a row without a connection that lasted; None for no limit.
        stable_after: seconds after which a connection counts as one that lasted.
        logger: logs failed attempts.

    Attributes:
        connection: connection of the ``with`` statement being executed; None outside of one.
        logger: see the argument.

    Raises:
        TypeError, ValueError: if `max_attempts` or `stable_after` is wrong.
    """

    def __init__(
        self,
        process_exception: Callable[[Exception], Exception | None],
        reconnect_delays: Callable[[], Iterator[float]],
        max_attempts: int | None,
        stable_after: float,
        logger: LoggerLike,
    ) -> None:
        check_size("max_attempts", max_attempts, 1)
        if stable_after is None:
            raise TypeError("stable_after must be a number of seconds, not None")
        check_seconds("stable_after", stable_after, zero=True)
        self.connection: Connection | None = None
        self.logger = logger
        self._process_exception = process_exception
        self._reconnect_delays = reconnect_delays
        self._max_attempts = max_attempts
        self._stable_after = stable_after

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
        return RetrySchedule(
            self._process_exception,
            self._reconnect_delays,
            self._max_attempts,
            self._stable_after,
            self.logger,
        )


class RetrySchedule:
    """Delays between the attempts of a reconnecting client.

    Args:
        process_exception, reconnect_delays, max_attempts, stable_after, logger: see
            :class:`Reconnecting`.
    """

    def __init__(
        self,
        process_exception: Callable[[Exception], Exception | None],
        reconnect_delays: Callable[[], Iterator[float]],
        max_attempts: int | None,
        stable_after: float,
        logger: LoggerLike,
    ) -> None:
        self._process_exception = process_exception
        self._reconnect_delays = reconnect_delays
        self._max_attempts = max_attempts
        self._stable_after = stable_after
        self._logger = logger
        self._attempts = 0  # since the last connection that lasted
        self._delays: Iterator[float] | None = None

    def ended(self, connection: ClientSession) -> float:
        """Return the seconds to wait before the next attempt, now that a connection is closed.

        There is no delay after a connection that lasted. Another one counts like a failed attempt.

        Raises:
            ConnectionClosed: the reason of the end, if there is no further attempt.
        """
        if connection.lifetime >= self._stable_after:
            self._attempts = 0
            self._delays = None
            return 0.0
        delay = self._next_delay(0.0)
        if delay is None:
            raise connection.close_exc
        self._logger.info(
            "connection ended early; reconnecting in %.1f seconds: %r",
            delay,
            connection.close_exc,
        )
        return delay

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
        asked_for = 0.0
        if isinstance(exc, InvalidStatus | InvalidProxyStatus):
            asked_for = retry_after(exc.response.headers)
        delay = self._next_delay(asked_for)
        if delay is not None:
            self._logger.info("connect failed; reconnecting in %.1f seconds: %r", delay, exc)
        return delay

    def _next_delay(self, at_least: float) -> float | None:
        """Return the next delay in seconds; None if there is no further attempt.

        Args:
            at_least: minimum that the server asks for. Up to a quarter is added, so that clients
                that were refused together do not come back together.
        """
        self._attempts += 1
        if self._attempts == self._max_attempts:
            return None
        if self._delays is None:
            self._delays = self._reconnect_delays()
        delay = next(self._delays, None)
        return None if delay is None else max(delay, at_least * random.uniform(1, 1.25))
