"""Threaded server: `serve`, and `Server` with one thread for each connection.

RFC 6455 §4.2.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import ssl
import stat
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

from ..framing.frames import Close
from ..http1.head import SERVER
from ..protocol.deflate_negotiation import ServerPerMessageDeflateFactory
from ..protocol.handshake import Origins
from ..protocol.protocol import MAX_FRAGMENTS, MAX_SIZE
from ..protocol.server import ServerProtocol
from ..server.handler import check_callbacks
from ..server.registry import ConnectionMaker
from ..session.options import server_options, session_options
from ..typing import LoggerLike
from .basic_auth import basic_auth
from .broadcast import broadcast
from .runner import ConnectionRunner
from .server_connection import BaseServer, ProcessRequest, ProcessResponse, ServerConnection

__all__ = ["Server", "ServerConnection", "basic_auth", "broadcast", "serve", "unix_serve"]

Handler = Callable[..., Any]
SelectSubprotocol = Callable[[ServerConnection, Sequence[str]], str | None]

# Seconds to wait for handlers after Ctrl+C, once their connections are closed.
_JOIN_TIMEOUT = 1.0
# Seconds: the system may lack resources, such as file descriptors, for a while.
_PAUSE_AFTER_ERROR = 0.1


class Server(BaseServer):
    """A listening server; make one with :func:`serve`.

    Args:
        sock: the listening socket.
        run: runs a connection to its end; called with its socket and this server.
        logger: the server's logger.
    """

    def __init__(
        self,
        sock: socket.socket,
        run: Callable[[socket.socket, Server], None],
        logger: LoggerLike,
    ) -> None:
        super().__init__(logger)
        self.socket = sock
        self.is_closing: bool = False
        self._run = run
        # Each wakes a thread that runs `serve_forever`.
        self._wakeup_sends: set[socket.socket] = set()
        # Reentrant: a signal handler may call `shutdown` in a thread that holds the lock.
        self._lock = threading.RLock()
        self._threads: set[threading.Thread] = set()
        self._opening: set[socket.socket] = set()
        sock.setblocking(False)

    def fileno(self) -> int:
        """Return the file descriptor of the listening socket."""
        return self.socket.fileno()

    # Clients ----------------------------------------------------------------------------

    def serve_forever(self) -> None:
        """Accept clients until :meth:`shutdown` is called, or an exception such as Ctrl+C's.

        An exception shuts the server down and is raised again. Handlers that do not end when
        their connections close delay it by at most one second.
        """
        wakeup_recv, wakeup_send = socket.socketpair()
        with self._lock:
            self._wakeup_sends.add(wakeup_send)
        try:
            with wakeup_recv, wakeup_send, selectors.DefaultSelector() as selector:
                selector.register(wakeup_recv, selectors.EVENT_READ)
                if not self.is_closing:
                    selector.register(self.socket, selectors.EVENT_READ)
                while not self.is_closing:
                    selector.select()
                    self._accept()
                with self._lock:
                    self._wakeup_sends.discard(wakeup_send)
        except BaseException:
            self._wakeup_sends.discard(wakeup_send)
            self._shut_down(_JOIN_TIMEOUT)
            raise

    def _accept(self) -> None:
        try:
            sock, _ = self.socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # the client has gone already
        except OSError:
            if not self.is_closing:
                self.logger.warning("accepting a client failed", exc_info=True)
                time.sleep(_PAUSE_AFTER_ERROR)
            return
        thread = threading.Thread(target=self._serve_client, args=(sock,), daemon=True)
        with self._lock:  # shutdown() must not find a thread that has not started
            if self.is_closing:
                sock.close()
                return
            self._opening.add(sock)
            try:
                thread.start()
            except RuntimeError:  # the system is short of threads
                self.logger.warning("starting a thread for a client failed", exc_info=True)
                self.reject(sock)
            else:
                self._threads.add(thread)

    def _serve_client(self, sock: socket.socket) -> None:
        try:
            self._run(sock, self)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def replace(self, sock: socket.socket, secure: socket.socket) -> None:
        """Replace the socket of a client by its TLS socket, before the TLS handshake."""
        with self._lock:
            self._opening.discard(sock)
            self._opening.add(secure)
            if self.is_closing:
                secure.close()

    def adopt(self, sock: socket.socket, connection: ServerConnection) -> None:
        """Register the connection of a client, which had only a socket before."""
        with self._lock:
            self._opening.discard(sock)
            self._all.add(connection)

    def reject(self, sock: socket.socket) -> None:
        """Close the socket of a client that gets no connection."""
        sock.close()
        with self._lock:
            self._opening.discard(sock)

    # The end ----------------------------------------------------------------------------

    def shutdown(self, close_connections: bool = True, code: int = 1001, reason: str = "") -> None:
        """Shut down as :meth:`ws6455.aio.server.Server.close` does, and wait for the end.

        Returns when every handler has ended, except one that calls this method.
        """
        Close(code, reason).serialize()  # checks the arguments
        self._shut_down(None, close_connections, code, reason)

    def _shut_down(
        self,
        join_timeout: float | None,
        close_connections: bool = True,
        code: int = 1001,
        reason: str = "",
    ) -> None:
        """Shut down; wait for handlers, at most `join_timeout` after their connections closed."""
        with self._lock:
            first, self.is_closing = not self.is_closing, True
            if first:
                self.logger.info("server closing")
                self.socket.close()
                for wakeup_send in self._wakeup_sends:
                    wakeup_send.send(b"\0")
            opening, connections = list(self._opening), list(self._all)
        for sock in opening:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        # Handlers run until they notice that their connections are closed.
        closing = [c for c in connections if c.leave(close_connections, code, reason)]
        for connection in closing:
            connection.wait_closed()
        deadline = None if join_timeout is None else time.monotonic() + join_timeout
        with self._lock:
            threads = self._threads - {threading.current_thread()}
        for thread in threads:
            thread.join(None if deadline is None else max(0, deadline - time.monotonic()))
        if first:
            self.logger.info("server closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *rest: object) -> None:
        if exc_type is None or issubclass(exc_type, Exception):
            self.shutdown()
        else:
            self._shut_down(_JOIN_TIMEOUT)


def serve(  # noqa: D417 - the other options are described where the docstring says
    handler: Handler,
    host: str | None = None,
    port: int | None = None,
    *,
    sock: socket.socket | None = None,
    ssl: ssl.SSLContext | None = None,
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
    logger: LoggerLike | None = None,
    create_connection: Callable[..., ServerConnection] | None = None,
    protocol_class: type[ServerProtocol] = ServerProtocol,
    **kwargs: Any,
) -> Server:
    """Listen for WebSocket clients.

    Other options are described at :class:`ws6455.aio.server.serve`.

    Args:
        handler: function, called with each open connection in a thread of its own, and with the
            path if it takes two arguments. The connection is closed with 1000 when the function
            returns, and with 1011 when it raises an exception.
        host: name or address to listen on; None for every address.
        port: TCP port; 0 or None lets the system choose.
        sock: a socket to listen on, instead of host and port.
        ssl: TLS context of the server.
        process_request: ``(connection, request) -> Response or None``; called for every
            request, whatever its method; a Response ends the handshake.
        process_response: ``(connection, request, response) -> Response or None``; may change
            the response or replace it.
        create_connection: returns a connection, called with the socket, the protocol, the
            server and the options; :class:`ServerConnection` by default.
        protocol_class: the class of the protocol, instead of :class:`ws6455.ServerProtocol`.
        kwargs: arguments of :func:`socket.create_server`; with ``unix=True``, ``path`` is the
            path of a Unix socket.

    Raises:
        OSError: if the server cannot listen.
    """
    check_callbacks(handler, process_request, process_response, select_subprotocol, is_async=False)
    protocol_options = server_options(
        origins, extensions, compression, subprotocols, max_size, max_fragments, logger
    )
    runner = ConnectionRunner(
        handler,
        ssl=ssl,
        open_timeout=open_timeout,
        maker=ConnectionMaker(
            create_connection or ServerConnection,
            select_subprotocol,
            trusted_proxies,
            protocol_options,
            session_options(ping_interval, ping_timeout, close_timeout, max_queue, open_timeout),
            protocol_class,
            proxy_protocol,
        ),
        handshake_options={
            "process_request": process_request,
            "process_response": process_response,
            "server_header": server_header,
        },
    )
    listener = _listen(host, port, sock, **kwargs)
    logger = protocol_options["logger"]
    logger.info("server listening on %s", listener.getsockname())
    return Server(listener, runner.run, logger)


def _listen(
    host: str | None,
    port: int | None,
    sock: socket.socket | None,
    *,
    unix: bool = False,
    path: str | None = None,
    **options: Any,
) -> socket.socket:
    """Return a listening socket.

    Raises:
        OSError: if listening fails.
        ValueError: if both a socket and an address are given, or a Unix socket has no path.
    """
    if sock is not None:
        if host is not None or port is not None or path is not None:
            raise ValueError("an address cannot be given with a socket")
        return sock
    if unix:
        if path is None:
            raise ValueError("a Unix socket needs a path, or sock")
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(os.stat(path).st_mode):
                os.remove(path)  # left behind by an earlier server
        return socket.create_server(path, family=socket.AF_UNIX, **options)
    if host is None and "family" not in options and socket.has_dualstack_ipv6():
        options |= {"family": socket.AF_INET6, "dualstack_ipv6": True}
    elif host is not None and ":" in host:
        options.setdefault("family", socket.AF_INET6)
    return socket.create_server((host or "", port or 0), **options)


def unix_serve(
    handler: Handler, path: str | os.PathLike[str] | None = None, **kwargs: Any
) -> Server:
    """Listen on a Unix socket; see :func:`ws6455.aio.server.unix_serve` and :func:`serve`."""
    return serve(handler, unix=True, path=None if path is None else os.fspath(path), **kwargs)
