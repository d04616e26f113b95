"""Send one message to many connections of threads at once.

Floor 5, threads. Nobody waits for anybody: what a socket has no room for, the watcher sends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import InvalidState
from ..fragments import FragmentWriter
from ..frames import Opcode
from ..shared import SharedMessage
from ..typing import DataLike
from .connection import Connection

__all__ = ["broadcast"]


def broadcast(
    connections: Iterable[Connection],
    message: DataLike,
    *,
    text: bool | None = None,
    raise_exceptions: bool = False,
    **pool_options: Any,
) -> None:
    """Send a message to connections; see :func:`ws6455.aio.broadcast.broadcast`.

    `pool_options` are ignored: `websockets` has them for its pool of threads, and here is none.
    """
    opcode, data = FragmentWriter(text).frame(message)
    shared = SharedMessage(data, opcode is Opcode.TEXT)
    failures: list[Exception] = []
    for connection in connections:
        try:
            connection.send_shared(shared)
        except InvalidState:
            continue  # it is closing or closed
        except Exception as exc:
            if raise_exceptions:
                failures.append(exc)
            else:
                connection.logger.warning("skipped broadcast: %s", exc)
    if failures:
        raise ExceptionGroup("skipped broadcast", failures)
