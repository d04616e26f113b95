"""Old forms of arguments: names, defaults, callbacks, and the signatures that show them.

The old and the new form of a callback both take two arguments. They are distinguished by the names
of these arguments, which are those of the documentation of `websockets`.
"""

from __future__ import annotations

import functools
import http
import inspect
import warnings
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from ..aio.server_connection import ProcessResponse, ServerConnection
from ..http1.head import Request, Response
from ..http1.headers import Headers, HeadersLike
from ..server.registry import http_date
from .exceptions import AbortHandshake

__all__ = [
    "OLD_ARGUMENTS",
    "OLD_DEFAULTS",
    "ExtraHeaders",
    "as_response",
    "convert_headers",
    "extended",
    "new_process_request",
    "new_select_subprotocol",
    "rename_option",
    "renamed",
    "shows",
    "with_extra_headers",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Arguments of `connect` and `serve` up to version 13. `loop`, `read_limit` and `legacy_recv` have
# no effect here.
OLD_ARGUMENTS: dict[str, Any] = {
    "extra_headers": None,
    "create_protocol": None,
    "klass": None,
    "timeout": None,
    "loop": None,
    "read_limit": 1 << 16,
    "legacy_recv": False,
}
# Defaults up to version 13.
OLD_DEFAULTS: dict[str, Any] = {"max_queue": 32, "write_limit": 1 << 16}


def extended(base: Callable[..., Any], **defaults: Any) -> inspect.Signature:
    """Return a signature with added keyword arguments, or with other defaults.

    Args:
        base: the callable whose signature is extended.
        defaults: the default of each argument.
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
    """Return a signature in which the argument `old` is called `new`.

    An argument that has the new name already is removed.
    """
    return signature.replace(
        parameters=[
            parameter.replace(name=new) if parameter.name == old else parameter
            for parameter in signature.parameters.values()
            if parameter.name != new
        ]
    )


def shows(signature: inspect.Signature) -> Callable[[_Function], _Function]:
    """Return a decorator that sets the signature that :func:`inspect.signature` returns."""

    def decorate(function: _Function) -> _Function:
        function.__dict__["__signature__"] = signature
        return function

    return decorate


def rename_option(options: dict[str, Any], old: str, new: str, stacklevel: int) -> None:
    """Replace an option's old name by its new name, with a DeprecationWarning.

    Args:
        options: the options, changed in place.
        old: the old name.
        new: the new name.
        stacklevel: see :func:`warnings.warn`.
    """
    if old in options:
        warnings.warn(f"{old} is called {new}", DeprecationWarning, stacklevel)
        options[new] = options.pop(old)


def convert_headers(options: dict[str, Any]) -> None:
    """Accept values of additional headers that are not strings, as `websockets` does.

    Args:
        options: those of a client, changed in place. The headers are converted at each attempt.
    """
    headers = options.get("additional_headers")
    if headers is not None and not callable(headers):
        options["additional_headers"] = functools.partial(Headers, headers)


# Callbacks ----------------------------------------------------------------------------

ExtraHeaders = HeadersLike | Callable[[str, Headers], HeadersLike | None]


def _parameters(callback: Callable[..., Any]) -> tuple[str, str]:
    """Return the names of a callback's first two arguments; empty strings if there are none."""
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
    """Return True if a `process_request` takes ``(path, headers)``.

    Args:
        callback: takes these, or ``(connection, request)``.
        otherwise: the result if the names of the arguments do not decide.
    """
    first, second = _parameters(callback)
    if "path" in first or "header" in second:
        return True
    return otherwise and not ("conn" in first or "req" in second)


def _takes_two_lists(callback: Callable[..., Any], otherwise: bool) -> bool:
    """Return True if a `select_subprotocol` takes ``(client, server)``.

    Args:
        callback: takes these, or ``(connection, offered)``.
        otherwise: the result if the names of the arguments do not decide.
    """
    first, second = _parameters(callback)
    if "server" in second or first.startswith("client_"):
        return True
    return otherwise and not ("conn" in first or first in ("ws", "websocket"))


async def as_response(call: Callable[[], Any]) -> Any:
    """Return the result of a `process_request` of any version in the new form.

    Args:
        call: calls the `process_request`; may return an awaitable.

    Returns:
        None or a response. A tuple of status, headers and body is converted to a response.
    """
    try:
        answer = call()
        if inspect.isawaitable(answer):
            answer = await answer
    except AbortHandshake as exc:
        answer = exc.status, exc.headers, exc.body
    if not isinstance(answer, tuple):
        return answer
    status, headers, body = (*answer, b"")[:3]
    response = Response(int(status), http.HTTPStatus(status).phrase, Headers(headers or ()), body)
    defaults = {
        "Date": http_date(),
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
    """Return a `process_request` in the new form.

    Args:
        callback: a `process_request` in either form, or None.
        old: True if the old form is assumed when the names of the arguments do not decide.
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
    """Return a `select_subprotocol` in the new form, or None for the rule of version 14 on.

    Args:
        callback: a `select_subprotocol` in either form. None stands for the connection's method
            if `old` is true.
        old: True if the old form is assumed when the names of the arguments do not decide.
    """
    if callback is None:
        if not old:
            return None
    elif not _takes_two_lists(callback, old):
        return callback

    def select_subprotocol(connection: Any, offered: Sequence[str]) -> str | None:
        supported = connection.protocol.available_subprotocols
        if not offered or not supported:
            return None  # the old rule: continue without a subprotocol
        return (callback or connection.select_subprotocol)(offered, supported)

    return select_subprotocol


def with_extra_headers(
    extra_headers: ExtraHeaders | None, process_response: ProcessResponse | None
) -> ProcessResponse | None:
    """Return a `process_response` that adds headers to a response with status 101.

    Args:
        extra_headers: the headers, or ``(path, request_headers) -> headers``.
        process_response: a callback that is called first, or None.
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
