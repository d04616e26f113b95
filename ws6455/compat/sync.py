"""The threaded front end with the options, warnings and loggers of `websockets`."""

from __future__ import annotations

import functools
import logging
import os
import warnings
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, Self, TypeVar

from ..session.connection import Slow
from ..session.signature import with_options_of
from ..sync import broadcast as core_broadcast
from ..sync import client, client_connection, router, server
from ..sync.connection import Connection
from ..typing import DataLike
from .arguments import convert_headers, extended, rename_option, shows
from .protocol import ClientProtocol, ServerProtocol

__all__ = [
    "ClientConnection",
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

# Options of the thread pool that `websockets` broadcasts with.
_POOL_OPTIONS = {"max_workers", "thread_name_prefix", "initializer", "initargs"}

_Arguments = ParamSpec("_Arguments")
_Made = TypeVar("_Made")

# Methods whose first call outside a ``with`` statement gives a DeprecationWarning.
_USES = ("close", "ping", "pong", "recv", "recv_streaming", "send")


class ClientConnection(client_connection.ClientConnection):
    """A client's connection; see :class:`ws6455.sync.client.ClientConnection`."""

    def warn_at_first_use(self) -> None:
        """Give a warning when a method is called before the connection is entered."""
        reference = weakref.ref(self)
        for name in _USES:
            # The attribute hides the method until the warning, so that later calls cost nothing.
            self.__dict__[name] = functools.partial(_warn_and_call, reference, name)

    def _stop_warning(self) -> None:
        for name in _USES:
            self.__dict__.pop(name, None)

    def __enter__(self) -> Self:
        self._stop_warning()
        return super().__enter__()


def _warn_and_call(
    reference: weakref.ref[ClientConnection], name: str, *args: Any, **kwargs: Any
) -> Any:
    connection = reference()
    assert connection is not None  # the caller has a reference
    connection._stop_warning()
    warnings.warn(
        "use `with connect(...) as websocket`, or connect(..., legacy=True)",
        DeprecationWarning,
        stacklevel=2,
    )
    return getattr(connection, name)(*args, **kwargs)


def _adapt_client(options: dict[str, Any]) -> None:
    """Replace old option names; set the logger and the classes of connection and protocol."""
    rename_option(options, "ssl_context", "ssl", stacklevel=4)
    rename_option(options, "extra_headers", "additional_headers", stacklevel=4)
    convert_headers(options)
    options["logger"] = options.get("logger") or logging.getLogger("websockets.client")
    options["create_connection"] = options.get("create_connection") or ClientConnection
    options.setdefault("protocol_class", ClientProtocol)


def _opened(
    connection: client_connection.ClientConnection, legacy: bool | None
) -> client_connection.ClientConnection:
    if legacy is None and isinstance(connection, ClientConnection):
        connection.warn_at_first_use()
    return connection


@shows(extended(client.connect, legacy=None))
def connect(
    uri: str, *, legacy: bool | None = None, **options: Any
) -> client_connection.ClientConnection | client.reconnect:
    """Open a connection; see :func:`ws6455.sync.client.connect`.

    Args:
        uri: see there.
        legacy: False returns a :class:`reconnect`. None gives a warning if the connection is used
            before it is entered; True does not.
        options: see there.
    """
    _adapt_client(options)
    if legacy is False:
        return reconnect(uri, **options)
    return _opened(client.connect(uri, **options), legacy)


def unix_connect(
    path: str | os.PathLike[str] | None = None,
    uri: str | None = None,
    *,
    legacy: bool | None = None,
    **kwargs: Any,
) -> client_connection.ClientConnection | client.reconnect:
    """Connect to a Unix socket; see :func:`ws6455.sync.client.unix_connect` and :func:`connect`."""
    _adapt_client(kwargs)
    if legacy is False:
        return client.unix_reconnect(path, uri, **({"stable_after": 0} | kwargs))
    return _opened(client.unix_connect(path, uri, **kwargs), legacy)


class reconnect(client.reconnect):
    """Connect repeatedly; see :class:`ws6455.sync.client.reconnect`.

    Raises:
        InvalidURI: if the URI is not a WebSocket URI.
        ValueError: if `ssl` was given and the URI is not secure.
    """

    @with_options_of(client.reconnect)
    def __init__(self, uri: str, **options: Any) -> None:
        _adapt_client(options)
        options.setdefault("stable_after", 0)  # `websockets` reconnects at once
        super().__init__(uri, **options)


def unix_reconnect(
    path: str | os.PathLike[str] | None = None, uri: str | None = None, **kwargs: Any
) -> client.reconnect:
    """Connect to a Unix socket repeatedly; see :func:`ws6455.sync.client.unix_reconnect`."""
    _adapt_client(kwargs)
    kwargs.setdefault("stable_after", 0)
    return client.unix_reconnect(path, uri, **kwargs)


def _compatible(make: Callable[_Arguments, _Made]) -> Callable[_Arguments, _Made]:
    """Adapt a function that makes a server: its option names, its logger and its protocols."""

    @functools.wraps(make)
    def compatible(*args: _Arguments.args, **options: _Arguments.kwargs) -> _Made:
        rename_option(options, "ssl_context", "ssl", stacklevel=3)
        options["logger"] = options.get("logger") or logging.getLogger("websockets.server")
        options.setdefault("protocol_class", ServerProtocol)
        return make(*args, **options)

    return compatible


serve = _compatible(server.serve)
unix_serve = _compatible(server.unix_serve)
route = _compatible(router.route)
unix_route = _compatible(router.unix_route)


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

    `pool_options` are those of :class:`concurrent.futures.ThreadPoolExecutor`. They have no
    effect: no thread pool is used.

    Raises:
        TypeError: if an option is unknown.
    """
    unknown = ", ".join(pool_options.keys() - _POOL_OPTIONS)
    if unknown:
        raise TypeError(f"broadcast() takes no argument {unknown}")
    core_broadcast.broadcast(
        connections, message, text=text, raise_exceptions=raise_exceptions, slow=slow
    )
