"""Signatures of callables that pass their options on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["with_options_of"]

_Init = TypeVar("_Init", bound=Callable[..., None])


def with_options_of(target: Callable[..., Any]) -> Callable[[_Init], _Init]:
    """Decorate a constructor that passes ``**options`` on: show each option in its signature.

    Args:
        target: callable that takes the options as keyword-only arguments.
    """

    def decorate(init: _Init) -> _Init:
        own = inspect.signature(init)
        parameters = {name: p for name, p in own.parameters.items() if p.kind is not p.VAR_KEYWORD}
        for name, parameter in inspect.signature(target).parameters.items():
            if parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD):
                parameters.setdefault(name, parameter)
        signature = own.replace(parameters=list(parameters.values()))
        init.__signature__ = signature  # type: ignore[attr-defined]  # read by inspect.signature()
        return init

    return decorate
