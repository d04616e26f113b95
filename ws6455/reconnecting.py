"""Whether and when a client that has lost its connection tries again.

No clock and no loop: a front end does the waiting.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from .exceptions import InvalidMessage, InvalidStatus
from .settings import setting

__all__ = ["backoff", "process_exception"]

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
