"""What a server asks of the handler it was given, and of the exception that ended one."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from ..exceptions import ConnectionClosed

__all__ = ["is_the_end", "takes_path"]


def is_the_end(exc: Exception) -> bool:
    """Whether this says only that a connection is closed, as several tasks may say at once."""
    if isinstance(exc, ExceptionGroup):
        return exc.split(ConnectionClosed)[1] is None
    return isinstance(exc, ConnectionClosed)


def takes_path(handler: Callable[..., object]) -> bool:
    """Whether a handler wants ``(connection, path)`` rather than ``(connection)``."""
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
