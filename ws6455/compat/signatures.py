"""Arguments of the past: their names, their defaults, and the signatures that show them.

Programs, editors and test doubles look at signatures.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["OLD_ARGUMENTS", "OLD_DEFAULTS", "extended", "rename_option", "renamed", "shows"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

# What `connect` and `serve` no longer take from version 14 on. Of these, `loop`, `read_limit` and
# `legacy_recv` do nothing.
OLD_ARGUMENTS: dict[str, Any] = {
    "extra_headers": None,
    "create_protocol": None,
    "klass": None,
    "timeout": None,
    "loop": None,
    "read_limit": 1 << 16,
    "legacy_recv": False,
}
# What had another default before.
OLD_DEFAULTS: dict[str, Any] = {"max_queue": 32, "write_limit": 1 << 16}


def extended(base: Callable[..., Any], **defaults: Any) -> inspect.Signature:
    """Return a signature with more keyword arguments, or with other defaults.

    Args:
        base: whose signature it is.
        defaults: for each argument its default.
    """
    parameters = dict(inspect.signature(base).parameters)
    rest = parameters.popitem()[1] if "kwargs" in parameters else None
    for name, default in defaults.items():
        known = parameters.get(name)
        if known is None:
            kind = inspect.Parameter.KEYWORD_ONLY
            parameters[name] = inspect.Parameter(name, kind, default=default)
        else:
            parameters[name] = known.replace(default=default)
    return inspect.Signature([*parameters.values(), *([rest] if rest is not None else [])])


def renamed(signature: inspect.Signature, old: str, new: str) -> inspect.Signature:
    """Return a signature with another name for an argument, which replaces one of that name."""
    return signature.replace(
        parameters=[
            parameter.replace(name=new) if parameter.name == old else parameter
            for parameter in signature.parameters.values()
            if parameter.name != new
        ]
    )


def shows(signature: inspect.Signature) -> Callable[[_Function], _Function]:
    """Return a decorator that gives a function another signature to show."""

    def decorate(function: _Function) -> _Function:
        function.__dict__["__signature__"] = signature
        return function

    return decorate


def rename_option(options: dict[str, Any], old: str, new: str, stacklevel: int) -> None:
    """Give an option its new name, with a warning.

    Args:
        options: the options, changed in place.
        old: the option's former name.
        new: its name today.
        stacklevel: as :func:`warnings.warn` takes it.
    """
    if old in options:
        warnings.warn(f"{old} is called {new}", DeprecationWarning, stacklevel)
        options[new] = options.pop(old)
