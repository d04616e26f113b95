"""Callbacks of a server in their old form: told from the new one, and adapted to it.

Both forms take two arguments, so what tells them apart is what these are called, as the
documentation of either time calls them.
"""

from __future__ import annotations

import http
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ..aio.server_connection import ProcessResponse, ServerConnection
from ..http1.head import Request, Response
from ..http1.headers import Headers, HeadersLike
from .exceptions import AbortHandshake

__all__ = ["as_response", "new_process_request", "new_select_subprotocol", "with_extra_headers"]

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
