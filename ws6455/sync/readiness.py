"""Waiting until a socket is readable or writable."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

__all__ = ["Readiness", "readiness"]

#: Waits until the socket is ready, for a number of seconds at most or None for no limit; returns
#: True if it is ready.
Readiness = Callable[[float | None], bool]

# In seconds: poll() counts milliseconds in 32 bits. A caller that waits longer calls again.
_MAX_TIMEOUT = 86400.0


def readiness(sock: socket.socket, *, writing: bool = False) -> Readiness:
    """Return a function that waits until a socket is ready; one thread at a time may call it.

    Args:
        sock: the socket; it must stay open.
        writing: True waits until the socket is writable, False until it is readable.

    Returns:
        The function. A socket that was closed by the peer or has failed is ready as well.
    """
    if not hasattr(select, "poll"):  # Windows

        def wait_with_select(timeout: float | None) -> bool:
            seconds = None if timeout is None else min(max(timeout, 0), _MAX_TIMEOUT)
            reading, more = ([], [sock]) if writing else ([sock], [])
            return any(select.select(reading, more, more, seconds))

        return wait_with_select

    poller = select.poll()
    poller.register(sock, select.POLLOUT if writing else select.POLLIN)
    poll = poller.poll

    def wait(timeout: float | None) -> bool:
        return bool(poll(None if timeout is None else min(max(timeout, 0), _MAX_TIMEOUT) * 1000))

    return wait
