"""Broadcasts: the shared message, and the errors of single connections."""

from __future__ import annotations

from collections.abc import Iterable

from ..exceptions import InvalidState
from ..framing.fragments import whole_message
from ..framing.frames import Opcode
from ..framing.shared_message import SharedMessage
from .connection import BaseConnection, Slow

__all__ = ["BroadcastFailures", "send_to_all", "shared_message"]


def shared_message(message: object, text: bool | None) -> SharedMessage:
    """Return a message that can be sent to many connections.

    Args:
        message: str for Text, bytes-like for Binary.
        text: True sends bytes as Text, False sends a string as Binary, None follows the type.

    Raises:
        TypeError: if the message is of another type.
    """
    frame = whole_message(message, text)
    if frame is None:
        raise TypeError(f"message must be str or bytes-like, not {type(message).__name__}")
    opcode, data = frame
    return SharedMessage(data, opcode is Opcode.TEXT)


class BroadcastFailures:
    """Errors of a broadcast.

    Args:
        collect: True to collect errors and raise them at the end; False to log them.
    """

    def __init__(self, collect: bool) -> None:
        self._collect = collect
        self._collected: list[Exception] = []

    def add(self, connection: BaseConnection, exc: Exception) -> None:
        """Add the error of one connection; a connection that is not open is not an error."""
        if isinstance(exc, InvalidState):
            return
        if self._collect:
            self._collected.append(exc)
        else:
            connection.logger.warning("skipped broadcast: %s", exc)

    def raise_collected(self) -> None:
        """Raise the errors collected.

        Raises:
            ExceptionGroup: if there are any.
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
