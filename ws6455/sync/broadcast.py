"""Broadcast one message to many threaded connections.

It does not block: the watcher sends the bytes that a socket does not accept at once.
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

    A connection is slow while its socket has not accepted all earlier bytes, so that `send` would
    block.
    """
    shared = shared_message(message, text)
    send_to_all(connections, shared, slow, BroadcastFailures(raise_exceptions))
