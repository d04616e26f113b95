"""The asyncio client: `connect` with the arguments of every version."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

from ..aio import client, client_connection
from ..client import reconnecting
from ..client.reconnecting import backoff
from ..client.redirects import MAX_REDIRECTS
from ..http1.headers import HeadersLike
from ..session.options import default_uri
from .arguments import OLD_ARGUMENTS, OLD_DEFAULTS, convert_headers, extended
from .connection import ClientConnection
from .extensions import check_factories
from .protocol import ClientProtocol

__all__ = ["Connect", "connect", "legacy_unix_connect", "unix_connect"]


class connect(client.connect):
    """Connect to a WebSocket server; see :class:`ws6455.connect`.

    Args:
        uri: see there.
        extra_headers: the name of `additional_headers` up to version 13.
        create_protocol, klass: names of `create_connection` up to version 13.
        timeout: the name of `close_timeout` in early versions.
        loop, read_limit, legacy_recv: have no effect.
        options: see there.
    """

    protocol_class: type[ClientProtocol] = ClientProtocol
    __signature__: inspect.Signature = extended(client.connect, **OLD_ARGUMENTS)

    def __init__(
        self,
        uri: str,
        *,
        extra_headers: HeadersLike | None = None,
        create_protocol: Callable[..., client_connection.ClientConnection] | None = None,
        klass: Callable[..., client_connection.ClientConnection] | None = None,
        timeout: float | None = None,
        loop: object = None,
        read_limit: object = None,
        legacy_recv: object = None,
        **options: Any,
    ) -> None:
        if extra_headers is not None:
            options["additional_headers"] = extra_headers
        convert_headers(options)
        if timeout is not None:
            options["close_timeout"] = timeout
        create = options.get("create_connection") or create_protocol or klass or ClientConnection
        options["create_connection"] = create
        options.setdefault("stable_after", 0)  # `websockets` reconnects at once
        options["logger"] = options.get("logger") or logging.getLogger("websockets.client")
        check_factories(options.get("extensions"))
        super().__init__(uri, **options)
        self._latest: client_connection.ClientConnection | None = None

    @property
    def protocol(self) -> client_connection.ClientConnection:
        """The open connection, under its name up to version 13; an AttributeError before."""
        if self._latest is None:
            raise AttributeError("not connected yet", name="protocol", obj=self)
        return self._latest

    async def _connect(self) -> client_connection.ClientConnection:
        self._latest = await super()._connect()
        return self._latest


class Connect(connect):
    """Connect as ``websockets.legacy`` does: its defaults, no proxy, a retry after any error."""

    MAX_REDIRECTS_ALLOWED = MAX_REDIRECTS
    BACKOFF_INITIAL = reconnecting.INITIAL_DELAY
    BACKOFF_MIN = reconnecting.MIN_DELAY
    BACKOFF_MAX = reconnecting.MAX_DELAY
    BACKOFF_FACTOR = reconnecting.FACTOR

    __signature__: inspect.Signature = extended(
        connect, **OLD_DEFAULTS, close_timeout=None, proxy=None
    )

    def __init__(self, uri: str, **options: Any) -> None:
        options = OLD_DEFAULTS | {"proxy": None} | options
        options.setdefault("process_exception", _try_again)
        options.setdefault("reconnect_delays", self._delays)
        if options.get("close_timeout") is None:
            options["close_timeout"] = 10
        super().__init__(uri, **options)

    @classmethod
    def _delays(cls) -> Iterator[float]:
        return backoff(cls.BACKOFF_INITIAL, cls.BACKOFF_MIN, cls.BACKOFF_MAX, cls.BACKOFF_FACTOR)


def _try_again(exc: Exception) -> None:
    """Treat any error as transient."""


def _on_socket(
    kind: type[connect], path: str | os.PathLike[str] | None, uri: str | None, options: Any
) -> connect:
    uri = default_uri(uri, options.get("ssl"))
    if path is not None:
        options["path"] = os.fspath(path)
    return kind(uri, unix=True, **options)


def unix_connect(
    path: str | os.PathLike[str] | None = None, uri: str | None = None, **kwargs: Any
) -> connect:
    """Connect to a Unix socket; see :func:`ws6455.unix_connect`."""
    return _on_socket(connect, path, uri, kwargs)


def legacy_unix_connect(
    path: str | os.PathLike[str] | None = None, uri: str = "ws://localhost/", **kwargs: Any
) -> connect:
    """Connect to a Unix socket as ``websockets.legacy`` does; see :class:`Connect`."""
    return _on_socket(Connect, path, uri, kwargs)
