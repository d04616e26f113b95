"""The signature that an adapter shows: ours, with what it takes besides.

Programs, editors and test doubles ask for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["OLD_ARGUMENTS", "OLD_DEFAULTS", "extended", "renamed"]

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
