"""The threaded client: `connect` for one connection, `reconnect` for repeated ones.

RFC 6455 §4.1.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeVar

from ..client.reconnecting import Reconnecting, backoff, process_exception
from ..client.redirects import first_destination
from ..client.request_headers import repeatable
from ..http1.head import USER_AGENT
from ..http1.headers import HeadersLike
from ..protocol.client import ClientProtocol
from ..protocol.deflate_negotiation import ClientPerMessageDeflateFactory
from ..protocol.protocol import MAX_FRAGMENTS, MAX_SIZE
from ..session.options import client_options, default_uri, session_options
from ..session.signature import with_options_of
from ..typing import LoggerLike, Provided
from .client_connection import ClientConnection
from .connector import Connector

__all__ = ["ClientConnection", "connect", "reconnect", "unix_connect", "unix_reconnect"]

_Value = TypeVar("_Value")


def connect(  # noqa: D417 - the other options are described where the docstring says
    uri: Provided[str],
    *,
    sock: socket.socket | None = None,
    ssl: ssl.SSLContext | bool | None = None,
    server_hostname: str | None = None,
    origin: str | None = None,
    extensions: Sequence[ClientPerMessageDeflateFactory] | None = None,
    subprotocols: Sequence[str] | None = None,
    compression: str | None = "deflate",
    additional_headers: Provided[HeadersLike | None] = None,
    user_agent_header: str | None = USER_AGENT,
    proxy: str | Literal[True] | None = True,
    proxy_ssl: ssl.SSLContext | bool | None = None,
    proxy_server_hostname: str | None = None,
    open_timeout: float | None = 10,
    ping_interval: float | None = 20,
    ping_timeout: float | None = 20,
    close_timeout: float | None = 10,
    max_size: int | tuple[int | None, int | None] | None = MAX_SIZE,
    max_fragments: int | None = MAX_FRAGMENTS,
    max_queue: int | tuple[int | None, int | None] | None = 16,
    logger: LoggerLike | None = None,
    create_connection: Callable[..., ClientConnection] | None = None,
    protocol_class: type[ClientProtocol] = ClientProtocol,
    **kwargs: Any,
) -> ClientConnection:
    """Open a connection to a WebSocket server, for a ``with`` statement.

    The options that are not listed, and the errors, are those of
    :class:`ws6455.aio.client.connect`.

    Args:
        uri: ``ws://`` or ``wss://``, or a callable that returns the URI.
        sock: a connected socket to use, instead of connecting to the URI's host and port.
        ssl: the TLS context for ``wss://``; True and None stand for the default.
        server_hostname: the name that the server's certificate must have, instead of the URI's
            host.
        proxy_ssl: the TLS context for an ``https://`` proxy.
        proxy_server_hostname: the name that the proxy's certificate must have, instead of the
            proxy's host.
        create_connection: makes the connection, instead of :class:`ClientConnection`; called
            with the socket, the protocol and the options.
        protocol_class: the class of the protocol, instead of :class:`ws6455.ClientProtocol`.
        kwargs: arguments of :func:`socket.create_connection`: ``address`` in place of the URI's
            host and port, ``source_address``, ``all_errors``, and ``timeout``, in seconds for
            TCP; also ``happy_eyeballs_delay``, ``interleave``, ``family``, ``proto`` and
            ``flags``; with ``unix=True``, ``path`` is that of a Unix socket.
    """
    connector = Connector(
        _value("uri", uri),
        headers=_value("additional_headers", additional_headers),
        user_agent_header=user_agent_header,
        open_timeout=open_timeout,
        proxy=proxy,
        proxy_tls={"ssl": proxy_ssl, "server_hostname": proxy_server_hostname},
        sock=sock,
        tls={"ssl": ssl, "server_hostname": server_hostname},
        socket_options=kwargs,
        create_connection=create_connection or ClientConnection,
        protocol_class=protocol_class,
        protocol_options=client_options(
            origin, extensions, compression, subprotocols, max_size, max_fragments, logger
        ),
        connection_options=session_options(
            ping_interval, ping_timeout, close_timeout, max_queue, open_timeout
        ),
    )
    return connector.open()


class reconnect(Reconnecting[ClientConnection]):
    """Connect to a WebSocket server repeatedly.

    ``for websocket in reconnect(uri)`` connects again, with growing delays, whenever the loop's
    body is left by ``continue`` or by its end; ``with reconnect(uri) as websocket`` connects
    once.

    Args:
        uri: see :func:`connect`.
        process_exception: returns None to retry, or the exception to raise.
        reconnect_delays: returns an iterator of delays in seconds; when it is exhausted, the
            exception of the last attempt is raised.
        max_attempts: see :class:`ws6455.aio.client.connect`.
        stable_after: see there.
        options: those of :func:`connect`.

    Raises:
        InvalidURI: if the URI is not a WebSocket URI.
        TypeError, ValueError: if an argument is wrong.
    """

    @with_options_of(connect)
    def __init__(
        self,
        uri: Provided[str],
        *,
        process_exception: Callable[[Exception], Exception | None] = process_exception,
        reconnect_delays: Callable[[], Iterator[float]] = backoff,
        max_attempts: int | None = None,
        stable_after: float = 10,
        **options: Any,
    ) -> None:
        logger = options.get("logger") or logging.getLogger("ws6455.client")
        super().__init__(process_exception, reconnect_delays, max_attempts, stable_after, logger)
        headers = options["additional_headers"] = repeatable(options.get("additional_headers"))
        first_destination(uri, headers, options)  # raises
        self._connect = functools.partial(connect, uri, **options)

    def __enter__(self) -> ClientConnection:
        self._check_not_entered()
        return self._enter(self._connect())

    def __exit__(self, exc_type: type[BaseException] | None, *rest: object) -> None:
        self._leave().__exit__(exc_type, *rest)

    def __iter__(self) -> Iterator[ClientConnection]:
        """Connect repeatedly; see :class:`ws6455.aio.client.connect`."""
        attempts = self._retry_schedule()
        while True:
            try:
                connection = self._connect()
            except Exception as exc:
                delay = attempts.failed(exc)
                if delay is None:
                    raise
            else:
                try:
                    yield connection
                finally:
                    connection.close()  # leaving the loop is not an error
                delay = attempts.ended(connection)
            time.sleep(delay)


def _value(name: str, provided: Provided[_Value]) -> _Value:
    """Return the value of an argument, or what a callable returns in its place.

    Raises:
        TypeError: if that is a coroutine function.
    """
    value: Any = provided() if callable(provided) else provided
    if inspect.isawaitable(value):
        raise TypeError(f"{name} must not be a coroutine function: there is no event loop")
    result: _Value = value
    return result


def unix_connect(
    path: str | os.PathLike[str] | None = None, uri: str | None = None, **kwargs: Any
) -> ClientConnection:
    """Connect to a Unix socket; see :func:`ws6455.aio.client.unix_connect` and :func:`connect`.

    Raises:
        ValueError: unless exactly one of path and sock is given.
    """
    return connect(_unix(path, uri, kwargs), **kwargs)


def unix_reconnect(
    path: str | os.PathLike[str] | None = None, uri: str | None = None, **kwargs: Any
) -> reconnect:
    """Connect to a Unix socket repeatedly.

    Args:
        path: see :func:`unix_connect`.
        uri: see :func:`unix_connect`.
        kwargs: see :class:`reconnect`.
    """
    return reconnect(_unix(path, uri, kwargs), **kwargs)


def _unix(path: str | os.PathLike[str] | None, uri: str | None, options: dict[str, Any]) -> str:
    """Add the path of a Unix socket to the options of `connect`; return the URI.

    Raises:
        ValueError: unless exactly one of path and sock is given.
    """
    if (path is None) is (options.get("sock") is None):
        raise ValueError("provide either path or sock")
    options |= {"unix": True, "path": None if path is None else os.fspath(path)}
    return default_uri(uri, options.get("ssl"))
