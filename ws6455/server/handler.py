"""A server's handler: its arguments, and exceptions that are not errors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..exceptions import ConnectionClosed
from ..session.connection import BaseConnection

__all__ = ["handler_arguments", "is_connection_closed"]


def is_connection_closed(exc: Exception) -> bool:
    """Return True for ConnectionClosed, and for a group that contains nothing else."""
    if isinstance(exc, ExceptionGroup):
        return exc.split(ConnectionClosed)[1] is None
    return isinstance(exc, ConnectionClosed)


def handler_arguments(
    handler: Callable[..., object],
) -> Callable[[BaseConnection], tuple[Any, ...]]:
    """Return a function that maps a connection to the arguments of a handler.

    Raises:
        TypeError: if the handler takes neither ``(connection)`` nor ``(connection, path)``.
    """
    with_path = _takes_path(handler)

    def arguments(connection: BaseConnection) -> tuple[Any, ...]:
        assert connection.request is not None
        return (connection, connection.request.path) if with_path else (connection,)

    return arguments


def _takes_path(handler: Callable[..., object]) -> bool:
    """Return True if a handler takes ``(connection, path)`` rather than ``(connection)``."""
    try:
        signature = inspect.signature(handler)
    except ValueError:
        return False  # a callable without a signature
    try:
        signature.bind(None)
    except TypeError:
        pass
    else:
        return False
    try:
        signature.bind(None, "/")
    except TypeError:
        raise TypeError(
            f"handler must take (connection) or (connection, path), not {signature}"
        ) from None
    return True
