"""Wait until one socket can be read from, or written to."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

__all__ = ["Readiness", "readiness"]

#: Waits so many seconds at most, None for any; tells whether the socket is ready.
Readiness = Callable[[float | None], bool]

# The system counts milliseconds in 32 bits; whoever waits for longer looks again and goes on.
_LONGEST = 86400.0


def readiness(sock: socket.socket, *, writing: bool = False) -> Readiness:
    """Return a function that waits until a socket is ready; one thread at a time may call it.

    Args:
        sock: the socket; it need not be kept.
        writing: whether to wait for room to write rather than for something to read.

    Returns:
        The function. A socket that has ended or failed is ready as well.
    """
    if not hasattr(select, "poll"):  # Windows

        def wait_with_select(timeout: float | None) -> bool:
            seconds = None if timeout is None else min(max(timeout, 0), _LONGEST)
            reading, more = ([], [sock]) if writing else ([sock], [])
            return any(select.select(reading, more, more, seconds))

        return wait_with_select

    poller = select.poll()
    poller.register(sock, select.POLLOUT if writing else select.POLLIN)
    poll = poller.poll

    def wait(timeout: float | None) -> bool:
        return bool(poll(None if timeout is None else min(max(timeout, 0), _LONGEST) * 1000))

    return wait
