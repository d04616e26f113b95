"""Defaults that environment variables can override.

Each variable has two names: with the prefix ``WS6455_``, and with the prefix ``WEBSOCKETS_`` of
the `websockets` package, for programs that were deployed with it.
"""

from __future__ import annotations

import os
from typing import TypeVar

__all__ = ["setting"]

_Value = TypeVar("_Value", int, float, str)


def setting(name: str, default: _Value) -> _Value:
    """Return the value of an environment variable, or a default if it is not set.

    Args:
        name: the name of the variable, without the prefix.
        default: the default. The variable is converted to its type.

    Raises:
        ValueError: if the variable cannot be converted.
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
