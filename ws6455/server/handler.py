"""A server's handler and callbacks: checks, arguments, and exceptions that are not errors."""

from __future__ import annotations

import dis
import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Any

from ..exceptions import ConnectionClosed
from ..session.connection import BaseConnection

__all__ = ["check_callbacks", "handler_arguments", "is_connection_closed"]


def is_connection_closed(exc: Exception) -> bool:
    """Return True for ConnectionClosed, and for a group that contains nothing else."""
    if isinstance(exc, ExceptionGroup):
        return exc.split(ConnectionClosed)[1] is None
    return isinstance(exc, ConnectionClosed)


def check_callbacks(
    handler: object,
    process_request: object,
    process_response: object,
    select_subprotocol: object,
    *,
    is_async: bool,
) -> None:
    """Check the functions given to a server, so that a mistake shows before the first client.

    Args:
        handler: a coroutine function with asyncio, a plain function with threads.
        process_request: a function or None; with asyncio, it may be a coroutine function.
        process_response: as `process_request`.
        select_subprotocol: a plain function, or None.
        is_async: True with asyncio.

    Raises:
        TypeError: if one of them is of the wrong kind.
    """
    callbacks = {
        "process_request": process_request,
        "process_response": process_response,
        "select_subprotocol": select_subprotocol,
    }
    for name, function in {"handler": handler, **callbacks}.items():
        if function is None and name != "handler":
            continue
        if not callable(function):
            raise TypeError(f"{name} must be a function, not {function!r}")
        if inspect.isasyncgenfunction(function):
            raise TypeError(f"{name} must not be a generator: {function!r} has a yield")
        may_be_async = is_async and name != "select_subprotocol"
        if not may_be_async and _is_coroutine_function(function):
            raise TypeError(f"{name} must be a plain function, not a coroutine function")
    if is_async and not _is_coroutine_function(handler) and _returns_nothing(handler):
        raise TypeError(f"handler must be a coroutine function (async def), not {handler!r}")


def _is_coroutine_function(function: object) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004 - of an object with such a method
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _returns_nothing(function: object) -> bool:
    """Return True for a function that can return only None, or a generator.

    A plain function may return an awaitable, as a lambda or a decorator's function does.
    """
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & inspect.CO_ITERABLE_COROUTINE:
        return False
    if code.co_flags & inspect.CO_GENERATOR:
        return True
    steps = [("", None), *((step.opname, step.argval) for step in dis.get_instructions(code))]
    for before, (name, value) in itertools.pairwise(steps):
        returns_constant = name == "RETURN_CONST" and value is not None
        if returns_constant or (name == "RETURN_VALUE" and before != ("LOAD_CONST", None)):
            return False
    return True


def handler_arguments(
    handler: Callable[..., object],
) -> Callable[[BaseConnection], tuple[Any, ...]]:
    """Return a function that maps a connection to the arguments of a handler.

    Raises:
        TypeError: if the handler takes neither ``(connection)`` nor ``(connection, path)``.
    """
    with_path = _takes_path(handler)

    def arguments(connection: BaseConnection) -> tuple[Any, ...]:
        assert connection.request is not None
        return (connection, connection.request.path) if with_path else (connection,)

    return arguments


def _takes_path(handler: Callable[..., object]) -> bool:
    """Return True if a handler takes ``(connection, path)`` rather than ``(connection)``."""
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
