"""asyncio server: `serve`, and the `Server` that it starts.

RFC 6455 §4.2.
"""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from ..framing.frames import Close
from ..http1.head import SERVER
from ..protocol.deflate_negotiation import ServerPerMessageDeflateFactory
from ..protocol.handshake import Origins
from ..protocol.protocol import MAX_FRAGMENTS, MAX_SIZE
from ..protocol.server import ServerProtocol
from ..protocol.states import CLOSED
from ..server.handler import check_callbacks, handler_arguments
from ..server.proxy_protocol import SourceAddress
from ..server.registry import ConnectionMaker
from ..session.options import check_limits, server_options, session_options
from ..typing import LoggerLike
from .proxy_header import ProxyHeaderProtocol
from .server_connection import BaseServer, ProcessRequest, ProcessResponse, ServerConnection
from .streams import StreamProtocol
from .tls import TLSAcceptor, split_options

__all__ = ["Server", "serve", "unix_serve"]

Handler = Callable[..., Awaitable[Any]]
SelectSubprotocol = Callable[[ServerConnection, Sequence[str]], str | None]

# Seconds: asyncio rejects 0.
_SHORTEST_TIMEOUT = 0.001


class Server(BaseServer):
    """A running server; make one with :class:`serve`.

    Args:
        handler: see :class:`serve`.
        options: object that holds the arguments of :class:`serve`.
    """

    def __init__(self, handler: Handler, options: serve) -> None:
        super().__init__(options.logger)
        self.handler = handler
        self.server: asyncio.Server
        self._handler_arguments = handler_arguments(handler)
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._closing: asyncio.Task[None] | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        # Of clients in the TLS handshake, or before it.
        self._acceptors: set[ProxyHeaderProtocol | TLSAcceptor] = set()

    # Connections ------------------------------------------------------------------------

    def new_stream(
        self, source_address: SourceAddress | None = None, open_by: float | None = None
    ) -> StreamProtocol:
        """Create the protocol of a client accepted by asyncio, before its TLS handshake.

        Args:
            source_address: the client's address in the header of the PROXY protocol, or None.
            open_by: the time, by `time.monotonic`, at which the opening handshake is given up;
                `open_timeout` from now by default.
        """
        if open_by is None:
            timeout = self._options.open_timeout
            if timeout is not None:
                open_by = time.monotonic() + timeout
        connected = functools.partial(self._connect, source_address, open_by)
        return StreamProtocol(self._loop, connected)

    def _connect(
        self,
        source_address: SourceAddress | None,
        open_by: float | None,
        writer: asyncio.StreamWriter,
    ) -> ServerConnection:
        """Create the connection of a client, TLS included; see :meth:`new_stream`."""
        connection = self._options.new_connection(self)
        connection.open_by(open_by)
        if source_address is not None:
            connection.source_address = source_address
        self._all.add(connection)
        return connection

    def new_tls_acceptor(
        self,
        context: ssl.SSLContext,
        options: dict[str, Any],
        source_address: SourceAddress | None = None,
        open_by: float | None = None,
    ) -> TLSAcceptor:
        """Create the protocol of a client accepted by asyncio that performs the TLS handshake.

        Args:
            context: the TLS context.
            options: arguments of the loop's ``start_tls``.
            source_address: see :meth:`new_stream`.
            open_by: see :meth:`new_stream`.
        """
        stream = self.new_stream(source_address, open_by)
        if open_by is not None:
            left = max(open_by - time.monotonic(), _SHORTEST_TIMEOUT)
            timeout = options["ssl_handshake_timeout"]
            options = options | {
                "ssl_handshake_timeout": left if timeout is None else min(left, timeout)
            }
        return TLSAcceptor(stream, context, options, self._start_accepting, self._end_accepting)

    def new_proxy_header(
        self, next_protocol: Callable[..., asyncio.BaseProtocol]
    ) -> ProxyHeaderProtocol:
        """Create the protocol of a client accepted by asyncio that may send a PROXY header.

        Args:
            next_protocol: :meth:`new_stream`, or :meth:`new_tls_acceptor` with its options.
        """
        timeout = self._options.open_timeout
        open_by = None if timeout is None else time.monotonic() + timeout
        return ProxyHeaderProtocol(
            self._options.expects_proxy_header,
            functools.partial(next_protocol, open_by=open_by),
            timeout,
            self._start_accepting,
            self._end_accepting,
        )

    def _start_accepting(self, acceptor: ProxyHeaderProtocol | TLSAcceptor) -> None:
        self._acceptors.add(acceptor)
        if self._closing is not None:
            acceptor.abort()

    def _end_accepting(
        self, acceptor: ProxyHeaderProtocol | TLSAcceptor, exc: Exception | None
    ) -> None:
        self._acceptors.discard(acceptor)
        if exc is not None:
            self._log_early_end(exc)

    async def run(self, connection: ServerConnection) -> None:
        """Answer the request of a connection, run the handler and close."""
        options = self._options
        try:
            await connection.handshake(
                options.process_request, options.process_response, options.server_header
            )
            if connection.protocol.handshake_exc is not None:
                await connection.wait_closed()
                return
            connection._log_info("connection open")
            try:
                await self.handler(*self._handler_arguments(connection))
            except Exception as exc:
                connection._log_handler_error(exc)
                await connection.close(1011)
            else:
                await connection.close()
            connection._log_info("connection closed")
        except asyncio.CancelledError:
            if connection.protocol.state is CLOSED:
                return  # the client has gone during the opening handshake
            connection.go_away()
            raise
        except Exception:
            # An error in one connection must not affect the others.
            connection.logger.error("connection failed", exc_info=True)
            connection.go_away()

    # The server -------------------------------------------------------------------------

    def close(self, close_connections: bool = True, code: int = 1001, reason: str = "") -> None:
        """Stop accepting clients, refuse opening handshakes with 503 and close connections.

        :meth:`wait_closed` waits for the end. Closing a closed server does nothing.

        Args:
            close_connections: True closes open connections; False lets their handlers finish.
            code: close code to send.
            reason: close reason to send.

        Raises:
            ProtocolError: if the code must not be sent, or the reason is too long.
        """
        Close(code, reason).serialize()  # raises
        if self._closing is None:
            self.server.close()
            self._closing = self._loop.create_task(self._close(close_connections, code, reason))

    async def _close(self, close_connections: bool, code: int, reason: str) -> None:
        self.logger.info("server closing")
        # Let asyncio create the protocols of clients that it has accepted already.
        await asyncio.sleep(0)
        for acceptor in list(self._acceptors):
            acceptor.abort()
        for connection in list(self._all):
            if connection.protocol.request is None:
                connection.go_away()
        try:
            # Handlers are not cancelled: each ends when it finds its connection closed.
            closing = [c.close(code, reason) for c in self.connections if close_connections]
            await asyncio.gather(*closing, return_exceptions=True)
            while tasks := {c._task for c in self._all if c._task is not None}:
                await asyncio.wait(tasks)
            await self.server.wait_closed()
        finally:
            self.logger.info("server closed")
            self._closed.set_result(None)

    async def wait_closed(self) -> None:
        """Wait until the server is closed and every handler has ended.

        This does not close the server: call :meth:`close` for that.
        """
        await asyncio.shield(self._closed)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop."""
        return self._loop

    def is_serving(self) -> bool:
        """Return True while the server accepts clients."""
        return self._closing is None and self.server.is_serving()

    async def start_serving(self) -> None:
        """Start to accept clients, after ``start_serving=False``."""
        await self.server.start_serving()

    async def serve_forever(self) -> None:
        """Accept clients until the server is closed; close it if cancelled."""
        try:
            await self.server.start_serving()
            await self.wait_closed()
        finally:
            self.close()
            await self.wait_closed()

    @property
    def sockets(self) -> Iterable[socket.socket]:
        """Sockets that the server listens on."""
        return self.server.sockets

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        await self.wait_closed()


class serve:
    """Serve WebSocket clients.

    ``await serve(...)`` returns a :class:`Server`; ``async with serve(...) as server`` closes it
    at the end.

    Args:
        handler: coroutine function, called with each open connection, and with the path if it
            takes two arguments. The connection is closed with 1000 when the handler returns,
            and with 1011 when it raises an exception.
        host: name or address to listen on, or several; None for every address.
        port: TCP port; 0 lets the system choose.
        origins: allowed values of Origin: strings, patterns (matched in full), or None for
            requests without the header; other requests are refused with 403.
        extensions: extensions to accept, instead of the default of `compression`.
        subprotocols: subprotocols supported, preferred first.
        select_subprotocol: ``(connection, offered) -> chosen or None``.
        compression: ``"deflate"`` accepts permessage-deflate; None accepts no compression.
        process_request: ``(connection, request) -> Response or None``, a plain function or a
            coroutine function; called for requests of every method; a Response ends the
            handshake.
        process_response: ``(connection, request, response) -> Response or None``, a plain
            function or a coroutine function; may modify the response or replace it.
        server_header: value of Server; None for no header.
        trusted_proxies: addresses and networks of proxies whose X-Forwarded-For or Forwarded is
            used for the connection's `client_address`.
        proxy_protocol: True if the trusted proxies send a header of the PROXY protocol, version 1
            or 2, at the start of each connection. The address of the client in it becomes the
            connection's `remote_address`. A connection of a trusted proxy without the header is
            closed; those from other addresses have none.
        open_timeout: seconds for TLS and the opening handshake; None for no limit.
        ping_interval, ping_timeout, close_timeout, max_size, max_fragments, max_queue,
            write_limit: see :class:`~ws6455.aio.client.connect`.
        logger: replaces ``logging.getLogger("ws6455.server")``.
        create_connection: returns a connection; the default is :class:`ServerConnection`.
        kwargs: arguments of the loop's ``create_server``, such as ``ssl``, ``sock`` and
            ``reuse_port``; with ``unix=True``, ``path`` is the path of a Unix socket.

    Raises:
        OSError: if the server cannot listen on the port.
        TypeError, ValueError: if an argument is wrong.
    """

    # A subclass may use other classes.
    server_class: type[Server] = Server
    protocol_class: type[ServerProtocol] = ServerProtocol

    def __init__(
        self,
        handler: Handler,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        origins: Origins | None = None,
        extensions: Sequence[ServerPerMessageDeflateFactory] | None = None,
        subprotocols: Sequence[str] | None = None,
        select_subprotocol: SelectSubprotocol | None = None,
        compression: str | None = "deflate",
        process_request: ProcessRequest | None = None,
        process_response: ProcessResponse | None = None,
        server_header: str | None = SERVER,
        trusted_proxies: Sequence[str] = (),
        proxy_protocol: bool = False,
        open_timeout: float | None = 10,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        max_size: int | tuple[int | None, int | None] | None = MAX_SIZE,
        max_fragments: int | None = MAX_FRAGMENTS,
        max_queue: int | tuple[int | None, int | None] | None = 16,
        write_limit: int | tuple[int, int | None] = 1 << 15,
        logger: LoggerLike | None = None,
        create_connection: Callable[..., ServerConnection] | None = None,
        **kwargs: Any,
    ) -> None:
        check_limits("write_limit", write_limit)
        check_callbacks(
            handler, process_request, process_response, select_subprotocol, is_async=True
        )
        self.handler = handler
        self.open_timeout = open_timeout
        self.process_request = process_request
        self.process_response = process_response
        self.server_header = server_header
        protocol_options = server_options(
            origins, extensions, compression, subprotocols, max_size, max_fragments, logger
        )
        self.logger: LoggerLike = protocol_options["logger"]
        policy = session_options(
            ping_interval, ping_timeout, close_timeout, max_queue, open_timeout
        )
        self._maker = ConnectionMaker(
            create_connection or ServerConnection,
            select_subprotocol,
            trusted_proxies,
            protocol_options,
            policy | {"write_limit": write_limit},
            self.protocol_class,
            proxy_protocol,
        )
        self._close_timeout = close_timeout
        self.listen_options: dict[str, Any] = kwargs
        if kwargs.get("sock") is None and not kwargs.get("unix"):
            self.listen_options |= {"host": host, "port": port}
        elif host is not None or port is not None:
            raise ValueError("host and port cannot be given with a socket")

    @property
    def proxy_protocol(self) -> bool:
        """True if the trusted proxies send a header of the PROXY protocol."""
        return self._maker.proxy_protocol

    def expects_proxy_header(self, remote_address: Any) -> bool:
        """Return True if a peer is a trusted proxy."""
        return self._maker.expects_proxy_header(remote_address)

    def new_connection(self, server: Server | None) -> ServerConnection:
        """Create the connection of an accepted client."""
        return self._maker.make(server)

    async def _serve(self) -> Server:
        server = self.server_class(self.handler, self)
        options = self.listen_options.copy()
        if options.get("ssl") is not None:
            options.setdefault("ssl_handshake_timeout", self.open_timeout)
            if self._close_timeout:  # asyncio rejects 0
                options.setdefault("ssl_shutdown_timeout", self._close_timeout)
        factory: Callable[[], asyncio.BaseProtocol] = server.new_stream
        context = options.get("ssl")
        tls_options = split_options(options)
        if context is not None:
            factory = functools.partial(server.new_tls_acceptor, context, tls_options)
        if self.proxy_protocol:
            factory = functools.partial(server.new_proxy_header, factory)
        loop = asyncio.get_running_loop()
        if options.pop("unix", False):
            server.server = await loop.create_unix_server(factory, **options)
        else:
            server.server = await loop.create_server(factory, **options)
        for sock in server.sockets:
            self.logger.info("server listening on %s", sock.getsockname())
        return server

    def __await__(self) -> Generator[Any, None, Server]:
        return self._serve().__await__()

    async def __aenter__(self) -> Server:
        self._server = await self._serve()
        return self._server

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        await self._server.wait_closed()


def unix_serve(
    handler: Handler, path: str | os.PathLike[str] | None = None, **kwargs: Any
) -> serve:
    """Serve WebSocket clients on a Unix socket.

    Args:
        handler: see :class:`serve`.
        path: path of the socket; or pass `sock`.
        kwargs: see :class:`serve`.
    """
    if path is not None:
        kwargs["path"] = os.fspath(path)
    return serve(handler, unix=True, **kwargs)
