"""Names of a module that are imported on first use (PEP 562), for programs that share this."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

__all__ = ["import_name", "lazy_import"]


def import_name(name: str, source: str, namespace: dict[str, Any]) -> Any:
    """Import a name.

    Args:
        name: the name.
        source: the module it is in, such as ``..package.module``.
        namespace: the globals of the module that `source` is relative to.
    """
    return getattr(importlib.import_module(source, namespace["__name__"]), name)


def lazy_import(
    namespace: dict[str, Any],
    aliases: dict[str, str] | None = None,
    deprecated_aliases: dict[str, str] | None = None,
) -> None:
    """Let a module have names of other modules without importing these at once.

    Args:
        namespace: the globals of the module.
        aliases: for each name the module it is in.
        deprecated_aliases: the same, for names whose use gives a warning.

    Raises:
        AttributeError: if a name is there already, or in both.
    """
    aliases, deprecated = aliases or {}, deprecated_aliases or {}
    taken = (aliases.keys() | deprecated.keys()) & namespace.keys()
    taken |= aliases.keys() & deprecated.keys()
    if taken:
        raise AttributeError(f"{', '.join(sorted(taken))}: there already")
    package = namespace["__name__"]
    others = set(namespace) | aliases.keys() | deprecated.keys()

    def __getattr__(name: str) -> Any:
        if name in deprecated:
            warnings.warn(f"{package}.{name} is deprecated", DeprecationWarning, stacklevel=2)
            return import_name(name, deprecated[name], namespace)
        if name not in aliases:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = namespace[name] = import_name(name, aliases[name], namespace)
        return value

    namespace["__getattr__"] = __getattr__
    namespace["__dir__"] = lambda: sorted(others)
