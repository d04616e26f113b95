"""What is used as it is but for its logger, which keeps the name that programs know."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["logged"]

_Arguments = ParamSpec("_Arguments")
_Made = TypeVar("_Made")


def logged(make: Callable[_Arguments, _Made], role: str) -> Callable[_Arguments, _Made]:
    """Return a function that logs as ``websockets.client`` or ``websockets.server``.

    Args:
        make: takes the argument `logger`.
        role: ``"client"`` or ``"server"``.
    """

    @functools.wraps(make)
    def with_logger(*args: _Arguments.args, **options: _Arguments.kwargs) -> _Made:
        if options.get("logger") is None:
            options["logger"] = logging.getLogger(f"websockets.{role}")
        return make(*args, **options)

    return with_logger
