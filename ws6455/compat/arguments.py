"""Arguments in their old form: names, defaults and callbacks, and the signatures that show them.

Both forms of a callback take two arguments. The names of these tell the forms apart, as the
documentation of either time has them.
"""

from __future__ import annotations

import http
import inspect
import warnings
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from ..aio.server_connection import ProcessResponse, ServerConnection
from ..http1.head import Request, Response
from ..http1.headers import Headers, HeadersLike
from .exceptions import AbortHandshake

__all__ = [
    "OLD_ARGUMENTS",
    "OLD_DEFAULTS",
    "ExtraHeaders",
    "as_response",
    "extended",
    "new_process_request",
    "new_select_subprotocol",
    "rename_option",
    "renamed",
    "shows",
    "with_extra_headers",
]

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


ExtraHeaders = HeadersLike | Callable[[str, Headers], HeadersLike | None]


def _parameters(callback: Callable[..., Any]) -> tuple[str, str]:
    """Return what a callback calls its first two arguments; empty where it does not say."""
    try:
        parameters = inspect.signature(callback).parameters.values()
    except (TypeError, ValueError):
        return "", ""
    names = [
        parameter.name.lower()
        for parameter in parameters
        if parameter.kind
        in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    ]
    first, second, *_ = *names, "", ""
    return first, second


def _takes_path_and_headers(callback: Callable[..., Any], otherwise: bool) -> bool:
    """Whether a `process_request` takes ``(path, headers)`` or ``(connection, request)``."""
    first, second = _parameters(callback)
    if "path" in first or "header" in second:
        return True
    return otherwise and not ("conn" in first or "req" in second)


def _takes_two_lists(callback: Callable[..., Any], otherwise: bool) -> bool:
    """Whether a `select_subprotocol` takes ``(client, server)`` or ``(connection, offered)``."""
    first, second = _parameters(callback)
    if "server" in second or first.startswith("client_"):
        return True
    return otherwise and not ("conn" in first or first in ("ws", "websocket"))


async def as_response(ask: Callable[[], Any]) -> Any:
    """Return what a `process_request` of any version answers, in the new form.

    Args:
        ask: calls it; the answer may be a coroutine's.

    Returns:
        None or a response; a status, headers and body become one.
    """
    try:
        answer = ask()
        if inspect.isawaitable(answer):
            answer = await answer
    except AbortHandshake as exc:
        answer = exc.status, exc.headers, exc.body
    if not isinstance(answer, tuple):
        return answer
    status, headers, body = (*answer, b"")[:3]
    response = Response(int(status), http.HTTPStatus(status).phrase, Headers(headers or ()), body)
    defaults = {
        "Connection": "close",
        "Content-Length": str(len(body)),
        "Content-Type": "text/plain",
    }
    for name, value in defaults.items():
        if name not in response.headers:
            response.headers[name] = value
    return response


def new_process_request(
    callback: Callable[..., Any] | None, old: bool
) -> Callable[[ServerConnection, Request], Awaitable[Response | None]] | None:
    """Return a `process_request` in its new form.

    Args:
        callback: in either form.
        old: whether one that does not tell its form is in the old one.
    """
    if callback is None:
        return None
    takes_path_and_headers = _takes_path_and_headers(callback, old)

    def process_request(
        connection: ServerConnection, request: Request
    ) -> Awaitable[Response | None]:
        if takes_path_and_headers:
            return as_response(lambda: callback(request.path, request.headers))
        return as_response(lambda: callback(connection, request))

    return process_request


def new_select_subprotocol(
    callback: Callable[..., str | None] | None, old: bool
) -> Callable[[ServerConnection, Sequence[str]], str | None] | None:
    """Return a `select_subprotocol` in its new form; None leaves the choice to the new rule.

    Args:
        callback: in either form; None for the connection's own method, if `old`.
        old: whether one that does not tell its form is in the old one.
    """
    if callback is None:
        if not old:
            return None
    elif not _takes_two_lists(callback, old):
        return callback

    def select_subprotocol(connection: Any, offered: Sequence[str]) -> str | None:
        supported = connection.protocol.available_subprotocols
        if not offered or not supported:
            return None  # the old rule: go on without
        return (callback or connection.select_subprotocol)(offered, supported)

    return select_subprotocol


def with_extra_headers(
    extra_headers: ExtraHeaders | None, process_response: ProcessResponse | None
) -> ProcessResponse | None:
    """Return a `process_response` that adds headers to the response which opens a connection.

    Args:
        extra_headers: the headers, or ``(path, request_headers) -> headers``.
        process_response: called first.
    """
    if extra_headers is None:
        return process_response

    async def add_headers(
        connection: ServerConnection, request: Request, response: Response
    ) -> Response | None:
        if process_response is not None:
            changed = process_response(connection, request, response)
            changed = await changed if inspect.isawaitable(changed) else changed
            response = response if changed is None else changed
        if response.status_code == 101:
            extra: HeadersLike | None
            if callable(extra_headers):
                extra = extra_headers(request.path, request.headers)
            else:
                extra = extra_headers
            response.headers.update(extra or ())
        return response

    return add_headers
