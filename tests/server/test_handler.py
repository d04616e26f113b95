"""ws6455.server.handler: arguments of a handler, and the exceptions with which it may end."""

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ws6455.exceptions import ConnectionClosedError, ConnectionClosedOK
from ws6455.server.handler import handler_arguments, is_connection_closed
from ws6455.session.connection import BaseConnection

CONNECTION = cast(BaseConnection, SimpleNamespace(request=SimpleNamespace(path="/p?q=1")))
ALONE = (CONNECTION,)
WITH_PATH = (CONNECTION, "/p?q=1")


class Handlers:
    def one(self, connection: Any) -> None: ...
    def two(self, connection: Any, path: str) -> None: ...
    def __call__(self, connection: Any, path: str) -> None: ...


def one(connection: Any) -> None: ...
def two(connection: Any, path: str) -> None: ...
def three(more: str, connection: Any, path: str) -> None: ...
def with_default(connection: Any, greeting: str = "hello") -> None: ...


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (one, ALONE),
        (two, WITH_PATH),
        (with_default, ALONE),
        (lambda *args: None, ALONE),
        (lambda connection, *, path="/": None, ALONE),
        (functools.partial(two, path="/bound"), ALONE),
        (functools.partial(three, "more"), WITH_PATH),
        (Handlers().one, ALONE),
        (Handlers().two, WITH_PATH),
        (Handlers(), WITH_PATH),
        (dict, ALONE),  # a class whose signature cannot be inspected
    ],
)
def test_a_handler_takes_the_connection_and_perhaps_the_path(
    handler: Callable[..., object], expected: tuple[object, ...]
) -> None:
    assert handler_arguments(handler)(CONNECTION) == expected


@pytest.mark.parametrize(
    "handler", [lambda: None, lambda a, b, c: None, lambda *, connection: None, Handlers.two]
)
def test_another_signature_is_refused_before_there_is_a_connection(
    handler: Callable[..., object],
) -> None:
    with pytest.raises(TypeError, match=r"must take \(connection\) or \(connection, path\), not"):
        handler_arguments(handler)


def test_what_is_not_callable_is_refused() -> None:
    with pytest.raises(TypeError):
        handler_arguments(None)  # type: ignore[arg-type]  # the point of it


def closed() -> ConnectionClosedOK:
    return ConnectionClosedOK(None, None)


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (closed(), True),
        (ConnectionClosedError(None, None), True),
        (ConnectionResetError(), False),
        (LookupError(), False),
        (ExceptionGroup("tasks", [closed(), ConnectionClosedError(None, None)]), True),
        (ExceptionGroup("tasks", [closed(), ExceptionGroup("more", [closed()])]), True),
        (ExceptionGroup("tasks", [closed(), LookupError()]), False),
        (ExceptionGroup("tasks", [closed(), ExceptionGroup("more", [LookupError()])]), False),
    ],
)
def test_the_end_of_the_connection_is_no_error_of_the_handler(
    exc: Exception, expected: bool
) -> None:
    assert is_connection_closed(exc) is expected
