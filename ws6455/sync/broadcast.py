"""Send one message to many connections of threads at once.

Nobody waits for anybody: what a socket has no room for, the watcher sends.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..session.broadcast import BroadcastFailures, send_to_all, shared_message
from ..session.connection import Slow
from ..typing import DataLike
from .connection import Connection

__all__ = ["broadcast"]


def broadcast(
    connections: Iterable[Connection],
    message: DataLike,
    *,
    text: bool | None = None,
    raise_exceptions: bool = False,
    slow: Slow = "buffer",
) -> None:
    """Send a message to connections, from any thread; see :func:`ws6455.aio.broadcast.broadcast`.

    A connection is slow here while its socket has no room for what was sent before, so that
    `send` would wait.
    """
    shared = shared_message(message, text)
    send_to_all(connections, shared, slow, BroadcastFailures(raise_exceptions))
