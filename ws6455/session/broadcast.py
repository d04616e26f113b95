"""A broadcast's message, and what becomes of the connections that could not be sent it."""

from __future__ import annotations

from collections.abc import Iterable

from ..exceptions import InvalidState
from ..framing.fragments import whole_message
from ..framing.frames import Opcode
from ..framing.shared_message import SharedMessage
from .connection import BaseConnection, Slow

__all__ = ["BroadcastFailures", "send_to_all", "shared_message"]


def shared_message(message: object, text: bool | None) -> SharedMessage:
    """Return a message for many connections.

    Args:
        message: str for Text, bytes-like for Binary.
        text: True sends bytes as Text, False a string as Binary.

    Raises:
        TypeError: if the message is of another type.
    """
    frame = whole_message(message, text)
    if frame is None:
        raise TypeError(f"message must be str or bytes-like, not {type(message).__name__}")
    opcode, data = frame
    return SharedMessage(data, opcode is Opcode.TEXT)


class BroadcastFailures:
    """What failed in a broadcast.

    Args:
        collect: whether to raise it at the end, rather than log it.
    """

    def __init__(self, collect: bool) -> None:
        self._collect = collect
        self._collected: list[Exception] = []

    def add(self, connection: BaseConnection, exc: Exception) -> None:
        """Take what failed for one connection; that it is not open is no failure."""
        if isinstance(exc, InvalidState):
            return
        if self._collect:
            self._collected.append(exc)
        else:
            connection.logger.warning("skipped broadcast: %s", exc)

    def raise_collected(self) -> None:
        """Raise what was collected.

        Raises:
            ExceptionGroup: if there is anything.
        """
        if self._collected:
            raise ExceptionGroup("skipped broadcast", self._collected)


def send_to_all(
    connections: Iterable[BaseConnection],
    message: SharedMessage,
    slow: Slow,
    failures: BroadcastFailures,
) -> None:
    """Send a message to connections, without waiting for any.

    Raises:
        ExceptionGroup: see :class:`BroadcastFailures`.
    """
    for connection in connections:
        try:
            connection.send_shared(message, slow)
        except Exception as exc:
            failures.add(connection, exc)
    failures.raise_collected()
