"""Defaults that the environment may change.

Each has two names: ``WS6455_`` and the rest, or ``WEBSOCKETS_`` and the rest, as programs that
were deployed with the `websockets` package set it.
"""

from __future__ import annotations

import os
from typing import TypeVar

__all__ = ["setting"]

_Value = TypeVar("_Value", int, float, str)


def setting(name: str, default: _Value) -> _Value:
    """Return a default, or what the environment says instead.

    Args:
        name: without the prefix.
        default: of the type that the environment's string is turned into.

    Raises:
        ValueError: if the string is no such number.
    """
    for prefix in ("WS6455_", "WEBSOCKETS_"):
        text = os.environ.get(prefix + name)
        if text is not None:
            try:
                return type(default)(text)
            except ValueError:
                kind = type(default).__name__
                raise ValueError(f"{prefix}{name} must be {kind}, not {text!r}") from None
    return default
