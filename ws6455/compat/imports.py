"""Lazy imports of a module's names (PEP 562), for programs that use this function."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

__all__ = ["import_name", "lazy_import"]


def import_name(name: str, source: str, namespace: dict[str, Any]) -> Any:
    """Import a name.

    Args:
        name: the name.
        source: the module that has the name, such as ``..package.module``.
        namespace: the globals of the module to which `source` is relative.
    """
    return getattr(importlib.import_module(source, namespace["__name__"]), name)


def lazy_import(
    namespace: dict[str, Any],
    aliases: dict[str, str] | None = None,
    deprecated_aliases: dict[str, str] | None = None,
) -> None:
    """Add names of other modules to a module, which are imported on first use.

    Args:
        namespace: the globals of the module.
        aliases: the module of each name.
        deprecated_aliases: the same, for names whose use gives a DeprecationWarning.

    Raises:
        AttributeError: if the module has a name already, or if a name is in both.
    """
    aliases, deprecated = aliases or {}, deprecated_aliases or {}
    taken = (aliases.keys() | deprecated.keys()) & namespace.keys()
    taken |= aliases.keys() & deprecated.keys()
    if taken:
        raise AttributeError(f"{', '.join(sorted(taken))}: defined already")
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
