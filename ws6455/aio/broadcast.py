"""Send one message to many connections at once.

Floor 5, asyncio. A frame is built once, and compressed once for all receivers that can read the
same compressed form. Nobody waits for anybody.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import InvalidState
from ..frames import BytesLike
from ..shared import SharedMessage
from .connection import Connection, DataLike

__all__ = ["broadcast"]


def broadcast(
    connections: Iterable[Connection],
    message: DataLike,
    *,
    text: bool | None = None,
    raise_exceptions: bool = False,
) -> None:
    """Send a message to connections, without waiting for any.

    Connections that are not open are skipped. What a slow one does not take at once stays in
    its transport's buffer: `keepalive` ends a connection that takes nothing.

    Args:
        connections: the receivers.
        message: str for Text, bytes-like for Binary.
        text: True sends bytes as Text, False a string as Binary.
        raise_exceptions: whether to raise what failed, at the end, rather than log it.

    Raises:
        TypeError: if the message is of another type.
        ExceptionGroup: of what failed, if so asked: a connection within a fragmented message
            cannot take another.
    """
    if isinstance(message, str):
        shared = SharedMessage(message.encode(), text is not False)
    elif isinstance(message, BytesLike):
        shared = SharedMessage(bytes(message), text is True)
    else:
        raise TypeError(f"message must be str or bytes-like, not {type(message).__name__}")
    failures: list[Exception] = []
    for connection in connections:
        try:
            connection.send_shared(shared)
        except InvalidState:
            continue
        except Exception as exc:
            failures.append(exc)
            if not raise_exceptions:
                connection.logger.warning("skipped broadcast: %s", exc)
    if failures and raise_exceptions:
        raise ExceptionGroup("skipped broadcast", failures)
