"""The threaded front end with the loggers and the option names of `websockets`."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from ..session.connection import Slow
from ..sync import broadcast as core_broadcast
from ..sync import client, router, server
from ..sync.connection import Connection
from ..typing import DataLike
from .signatures import rename_option

__all__ = [
    "broadcast",
    "connect",
    "reconnect",
    "route",
    "serve",
    "unix_connect",
    "unix_reconnect",
    "unix_route",
    "unix_serve",
]

# Options of the pool of threads with which `websockets` broadcasts.
_POOL_OPTIONS = {"max_workers", "thread_name_prefix", "initializer", "initargs"}

_Arguments = ParamSpec("_Arguments")
_Made = TypeVar("_Made")


def _compatible(make: Callable[_Arguments, _Made], role: str) -> Callable[_Arguments, _Made]:
    """Return a function that takes former option names and logs as ``websockets.<role>``."""

    @functools.wraps(make)
    def compatible(*args: _Arguments.args, **options: _Arguments.kwargs) -> _Made:
        rename_option(options, "ssl_context", "ssl")
        if role == "client":
            rename_option(options, "extra_headers", "additional_headers")
        if options.get("logger") is None:
            options["logger"] = logging.getLogger(f"websockets.{role}")
        return make(*args, **options)

    return compatible


connect = _compatible(client.connect, "client")
unix_connect = _compatible(client.unix_connect, "client")
unix_reconnect = _compatible(client.unix_reconnect, "client")
serve = _compatible(server.serve, "server")
unix_serve = _compatible(server.unix_serve, "server")
route = _compatible(router.route, "server")
unix_route = _compatible(router.unix_route, "server")


class reconnect(client.reconnect):
    """Connect again and again; see :class:`ws6455.sync.client.reconnect`."""

    def __init__(self, uri: str, **options: Any) -> None:
        rename_option(options, "ssl_context", "ssl")
        rename_option(options, "extra_headers", "additional_headers")
        options["logger"] = options.get("logger") or logging.getLogger("websockets.client")
        super().__init__(uri, **options)


def broadcast(
    connections: Iterable[Connection],
    message: DataLike,
    *,
    text: bool | None = None,
    raise_exceptions: bool = False,
    slow: Slow = "buffer",
    **pool_options: Any,
) -> None:
    """Send a message to connections; see :func:`ws6455.sync.server.broadcast`.

    `pool_options` are those of :class:`concurrent.futures.ThreadPoolExecutor`; they have no
    effect, since no pool of threads is needed.

    Raises:
        TypeError: if there is no such option.
    """
    unknown = ", ".join(pool_options.keys() - _POOL_OPTIONS)
    if unknown:
        raise TypeError(f"broadcast() takes no argument {unknown}")
    core_broadcast.broadcast(
        connections, message, text=text, raise_exceptions=raise_exceptions, slow=slow
    )
