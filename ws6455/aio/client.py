"""The asyncio client: `connect`, which is awaited, entered or iterated over.

Floor 5, asyncio. RFC 6455 §4.1.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from types import TracebackType
from typing import Any

from ..compression import client_extensions
from ..deflate import ClientPerMessageDeflateFactory
from ..handshake import validate_subprotocols
from ..http11 import USER_AGENT, HeadersLike
from ..opening import ClientProtocol
from ..protocol import MAX_FRAGMENTS, MAX_SIZE
from ..reconnecting import backoff, process_exception
from ..uri import WebSocketURI, parse_uri
from .connection import Connection
from .streams import StreamProtocol

__all__ = ["ClientConnection", "connect", "unix_connect"]


class ClientConnection(Connection):
    """A client's connection; see :class:`connect`."""

    protocol: ClientProtocol

    async def handshake(
        self,
        additional_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
    ) -> None:
        """Send the request and wait until the connection is open.

        Args:
            additional_headers: added to the request.
            user_agent_header: the value of User-Agent, unless `additional_headers` has one;
                None for none.

        Raises:
            InvalidHandshake: if the server refuses, or answers wrongly.
        """
        protocol = self.protocol
        request = protocol.connect()
        if additional_headers is not None:
            request.headers.update(additional_headers)
        if user_agent_header is not None and "User-Agent" not in request.headers:
            request.headers["User-Agent"] = user_agent_header
        self._opened_waiter = self.loop.create_future()
        protocol.send_request(request)
        self._flush()
        await self._opened_waiter
        self._opened_waiter = None
        if protocol.handshake_exc is not None:
            raise protocol.handshake_exc
        self._start_keepalive()


class connect:
    """Connect to a WebSocket server.

    ``await connect(uri)`` gives a :class:`ClientConnection`; ``async with connect(uri) as
    websocket`` closes it at the end; ``async for websocket in connect(uri)`` connects again,
    with growing delays, whenever the loop's body is left by ``continue`` or by its end.

    Args:
        uri: ``ws://`` or ``wss://``; credentials in it are sent as HTTP Basic authentication.
        origin: the value of the Origin header.
        extensions: compression to offer, instead of what `compression` stands for.
        subprotocols: to offer, preferred first.
        compression: ``"deflate"`` offers permessage-deflate, None nothing.
        additional_headers: added to the request.
        user_agent_header: the value of User-Agent; None for none.
        process_exception: for ``async for``: returns None to try again, or what to raise.
        open_timeout: seconds for everything until the connection is open; None for any.
        ping_interval: seconds between keepalive pings; None for none.
        ping_timeout: seconds without a byte after a ping until the server counts as dead.
        close_timeout: seconds for the closing handshake and TCP; None for any.
        reconnect_delays: for ``async for``: makes the iterator of the seconds to wait; when
            it has no more, the last attempt's exception is raised.
        max_size: bytes of a received message after decompression; None for no limit; a pair
            limits the message and each fragment.
        max_fragments: fragments of a received message; None for no limit.
        max_queue: messages received and not yet taken until reading pauses, or the high and
            low water marks; None for no limit.
        write_limit: bytes not yet sent above which `send` waits, or high and low water marks.
        logger: instead of ``logging.getLogger("ws6455.client")``.
        create_connection: makes the connection, instead of :class:`ClientConnection`.
        kwargs: passed to the loop's ``create_connection``, such as ``ssl``,
            ``server_hostname``, ``sock``, ``host`` and ``port`` (instead of the URI's),
            ``local_addr``; with ``unix=True``, ``path`` is that of a Unix socket.

    Raises:
        InvalidURI: if the URI is not a WebSocket URI.
        OSError: if TCP or TLS fail.
        InvalidHandshake: if the server refuses, or answers wrongly.
        TimeoutError: if it takes longer than `open_timeout`.
        TypeError, ValueError: if an argument is wrong.
    """

    def __init__(
        self,
        uri: str,
        *,
        origin: str | None = None,
        extensions: Sequence[ClientPerMessageDeflateFactory] | None = None,
        subprotocols: Sequence[str] | None = None,
        compression: str | None = "deflate",
        additional_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
        process_exception: Callable[[Exception], Exception | None] = process_exception,
        open_timeout: float | None = 10,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        reconnect_delays: Callable[[], Iterator[float]] = backoff,
        max_size: int | tuple[int | None, int | None] | None = MAX_SIZE,
        max_fragments: int | None = MAX_FRAGMENTS,
        max_queue: int | tuple[int | None, int | None] | None = 16,
        write_limit: int | tuple[int, int | None] = 1 << 15,
        logger: logging.Logger | logging.LoggerAdapter[Any] | None = None,
        create_connection: Callable[..., ClientConnection] | None = None,
        **kwargs: Any,
    ) -> None:
        self.uri = uri
        self.ws_uri = parse_uri(uri)
        if subprotocols is not None:
            validate_subprotocols(subprotocols)
        self.connection: ClientConnection | None = None
        self.logger = logger or logging.getLogger("ws6455.client")
        self._process_exception = process_exception
        self._reconnect_delays = reconnect_delays
        self._additional_headers = additional_headers
        self._user_agent_header = user_agent_header
        self._open_timeout = open_timeout
        self._create_connection = create_connection or ClientConnection
        self._protocol_options: dict[str, Any] = {
            "origin": origin,
            "extensions": client_extensions(extensions, compression),
            "subprotocols": subprotocols,
            "max_size": max_size,
            "max_fragments": max_fragments,
            "logger": self.logger,
        }
        self._connection_options: dict[str, Any] = {
            "ping_interval": ping_interval,
            "ping_timeout": ping_timeout,
            "close_timeout": close_timeout,
            "max_queue": max_queue,
            "write_limit": write_limit,
        }
        self._transport_options = kwargs
        _check_ssl(self.ws_uri, kwargs)

    def __await__(self) -> Generator[Any, None, ClientConnection]:
        return self._connect().__await__()

    async def _connect(self) -> ClientConnection:
        try:
            async with asyncio.timeout(self._open_timeout):
                connection = await self._open_transport()
                try:
                    await connection.handshake(self._additional_headers, self._user_agent_header)
                except BaseException:
                    # The exception's traceback refers to the connection.
                    connection.protocol.handshake_exc = None
                    transport = connection.transport
                    if transport is not None:
                        transport.abort()
                    raise
                return connection
        except TimeoutError as exc:
            if self._open_timeout is not None and not exc.args:
                raise TimeoutError(
                    f"timed out during opening handshake, after {self._open_timeout:g} s"
                ) from exc
            raise

    async def _open_transport(self) -> ClientConnection:
        """Open TCP, or what stands for it, and TLS."""
        loop = asyncio.get_running_loop()
        connection = self._create_connection(
            ClientProtocol(self.ws_uri, **self._protocol_options), **self._connection_options
        )

        def factory() -> StreamProtocol:
            return StreamProtocol(loop, lambda writer: connection)

        options = self._transport_options.copy()
        uri = self.ws_uri
        if uri.secure:
            options.setdefault("ssl", True)
        if options.get("ssl"):
            options.setdefault("server_hostname", uri.host)
            options.setdefault("ssl_handshake_timeout", self._open_timeout)
            if connection.close_timeout:  # asyncio takes no 0
                options.setdefault("ssl_shutdown_timeout", connection.close_timeout)
        if options.pop("unix", False):
            await loop.create_unix_connection(factory, **options)
        else:
            if options.get("sock") is None:
                options.setdefault("host", uri.host)
                options.setdefault("port", uri.port)
            await loop.create_connection(factory, **options)
        return connection

    async def __aenter__(self) -> ClientConnection:
        if self.connection is not None:
            raise RuntimeError("connect() isn't reentrant")
        self.connection = await self._connect()
        return self.connection

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self.connection is not None
        connection, self.connection = self.connection, None
        await connection.close(1000 if exc_type is None else 1011)

    async def __aiter__(self) -> AsyncGenerator[ClientConnection, None]:
        """Connect, and connect again when the connection is through or could not be made.

        Raises:
            Exception: what `process_exception` does not take for transient.
        """
        delays: Iterator[float] | None = None
        while True:
            try:
                connection = await self._connect()
            except Exception as exc:
                fatal = self._process_exception(exc)
                if fatal is exc:
                    raise
                if fatal is not None:
                    raise fatal from exc
                if delays is None:
                    delays = self._reconnect_delays()
                delay = next(delays, None)
                if delay is None:
                    raise
                self.logger.info("connect failed; reconnecting in %.1f seconds: %r", delay, exc)
                await asyncio.sleep(delay)
                continue
            delays = None
            try:
                yield connection
            finally:
                await connection.close()  # leaving the loop is no error


def unix_connect(
    path: str | os.PathLike[str] | None = None, uri: str | None = None, **kwargs: Any
) -> connect:
    """Connect to a WebSocket server that listens on a Unix socket.

    Args:
        path: of the socket; or pass `sock`.
        uri: for the handshake; the default is ``ws://localhost/``, with TLS ``wss://localhost/``.
        kwargs: see :class:`connect`.
    """
    if uri is None:
        uri = "wss://localhost/" if kwargs.get("ssl") is not None else "ws://localhost/"
    if path is not None:
        kwargs["path"] = os.fspath(path)
    return connect(uri, unix=True, **kwargs)


def _check_ssl(uri: WebSocketURI, options: dict[str, Any]) -> None:
    """Check that `ssl` fits the URI.

    Raises:
        ValueError: if it does not.
    """
    if uri.secure:
        if "ssl" in options and options["ssl"] is None:
            raise ValueError("ssl=None is incompatible with a wss:// URI")
    elif options.get("ssl") is not None:
        raise ValueError("ssl argument is incompatible with a ws:// URI")
