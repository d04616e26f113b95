"""Comparison of a callable's signature with the documented one."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["differences", "signature_of"]

Parameter = inspect.Parameter


def signature_of(owner: Any, name: str) -> inspect.Signature:
    """Return the signature of an attribute for callers, without `self`."""
    signature = inspect.signature(getattr(owner, name))
    if inspect.isclass(owner) and inspect.isfunction(inspect.getattr_static(owner, name)):
        parameters = list(signature.parameters.values())
        signature = signature.replace(parameters=parameters[1:])
    return signature


def differences(
    documented: str, ours: inspect.Signature, symbols: Mapping[str, object]
) -> list[str]:
    """Return the differences that would break a program written for the documentation.

    Args:
        documented: the parameters, as written in a ``def``.
        ours: the signature to check.
        symbols: the values of names in the documented defaults.
    """
    # The defaults are looked up in `symbols` as local names, so that it may be a lazy mapping.
    function: Callable[..., object] = eval(f"lambda {documented}: None", {}, symbols)
    theirs = inspect.signature(function)
    found = []
    for parameter in theirs.parameters.values():
        found += _differences_of(parameter, ours, _positional(theirs))
    named = [
        parameter
        for parameter in theirs.parameters.values()
        if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    ]
    required = [parameter for parameter in named if parameter.default is Parameter.empty]
    for arguments in (named, required):
        try:
            ours.bind(**dict.fromkeys(parameter.name for parameter in arguments))
        except TypeError as exc:
            found.append(f"cannot be called as documented: {exc}")
    return found


def _positional(signature: inspect.Signature) -> list[str]:
    """Return the names of the positional-or-keyword parameters."""
    return [
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind is Parameter.POSITIONAL_OR_KEYWORD
    ]


def _differences_of(
    documented: Parameter, ours: inspect.Signature, positional: list[str]
) -> list[str]:
    """Return the differences of one parameter."""
    name = documented.name
    if documented.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
        kinds = {parameter.kind for parameter in ours.parameters.values()}
        return [] if documented.kind in kinds else [f"takes no others ({documented})"]
    found = []
    mine = ours.parameters.get(name)
    if mine is None:
        return [f"has no {name}"]
    if name in positional:
        at = positional.index(name)
        if _positional(ours)[at : at + 1] != [name]:
            found.append(f"does not take {name} as positional argument {at + 1}")
    if documented.default is not Parameter.empty and mine.default != documented.default:
        found.append(f"defaults {name} to {mine.default!r}, not {documented.default!r}")
    return found
