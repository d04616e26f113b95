"""Send one message to many connections at once.

A frame is built once, and compressed once for all receivers that can read the same compressed
form. Nobody waits for anybody.
"""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Iterable

from ..session.broadcast import BroadcastFailures, send_to_all, shared_message
from ..session.connection import Slow
from ..typing import DataLike
from .connection import Connection
from .sending import wrong_loop

__all__ = ["broadcast"]


def broadcast(
    connections: Iterable[Connection],
    message: DataLike,
    *,
    text: bool | None = None,
    raise_exceptions: bool = False,
    slow: Slow = "buffer",
) -> None:
    """Send a message to connections, without waiting for any.

    Connections that are not open are skipped. What a slow one does not take at once stays in
    its transport's buffer; `keepalive` ends a connection that takes nothing at all.

    Args:
        connections: the receivers.
        message: str for Text, bytes-like for Binary.
        text: True sends bytes as Text, False a string as Binary.
        raise_exceptions: whether to raise what failed, at the end, rather than log it.
        slow: what to do for a connection whose buffer is above its `write_limit`, where
            ``send`` would wait: ``"buffer"`` the message nevertheless, ``"drop"`` it,
            ``"coalesce"``: send it when there is room, unless a newer one has taken its
            place; ``"disconnect"`` with 1013.

    Raises:
        TypeError: if the message is of another type.
        RuntimeError: if no event loop runs in this thread; a connection that belongs to another
            one counts among what failed.
        ExceptionGroup: of what failed, if so asked: a connection within a fragmented message
            cannot take another.
    """
    shared = shared_message(message, text)
    loop = get_running_loop()
    failed = BroadcastFailures(raise_exceptions)
    everyone = list(connections)
    receivers = [receiver for receiver in everyone if receiver.loop is loop]
    if len(receivers) < len(everyone):
        for receiver in everyone:
            if receiver.loop is not loop:
                failed.add(receiver, wrong_loop())
    send_to_all(receivers, shared, slow, failed)
