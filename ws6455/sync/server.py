"""The threaded server: `serve` and the server it gives.

RFC 6455 §4.2. One thread for each connection.
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
from ..server.registry import ConnectionMaker
from ..session.options import renamed_option, server_options, session_options
from ..typing import LoggerLike
from .basic_auth import basic_auth
from .broadcast import broadcast
from .runner import ConnectionRunner
from .server_connection import BaseServer, ProcessRequest, ProcessResponse, ServerConnection

__all__ = ["Server", "ServerConnection", "basic_auth", "broadcast", "serve", "unix_serve"]

Handler = Callable[..., Any]
SelectSubprotocol = Callable[[ServerConnection, Sequence[str]], str | None]

# After a signal, seconds that handlers have to end once their connections are closed.
_LAST_SECONDS = 1.0
# The system may be short of something for a while, such as file descriptors.
_PAUSE_AFTER_ERROR = 0.1


class Server(BaseServer):
    """A server that listens; make one with :func:`serve`.

    Args:
        sock: the listening socket.
        run: runs a connection, given its socket and this server, from TLS to its end.
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
        self.is_closing = False
        self._run = run
        self._bells: set[socket.socket] = set()  # of the threads in `serve_forever`
        # A signal's handler may call `shutdown` in a thread that has it.
        self._lock = threading.RLock()
        self._threads: set[threading.Thread] = set()
        self._opening: set[socket.socket] = set()
        sock.setblocking(False)

    def fileno(self) -> int:
        """Return the number of the listening socket."""
        return self.socket.fileno()

    # Clients ----------------------------------------------------------------------------

    def serve_forever(self) -> None:
        """Accept clients until :meth:`shutdown` is called, or an exception such as Ctrl+C's.

        The exception shuts the server down and comes on; the handlers that do not end with
        their connections do not keep it up.
        """
        bell, button = socket.socketpair()
        with self._lock:
            self._bells.add(button)
        try:
            with bell, button, selectors.DefaultSelector() as selector:
                selector.register(bell, selectors.EVENT_READ)
                if not self.is_closing:
                    selector.register(self.socket, selectors.EVENT_READ)
                while not self.is_closing:
                    selector.select()
                    self._accept()
                with self._lock:
                    self._bells.discard(button)
        except BaseException:
            self._bells.discard(button)
            self._shut_down(_LAST_SECONDS)
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
        with self._lock:
            self._threads.add(thread)
            self._opening.add(sock)
        try:
            thread.start()
        except RuntimeError:  # the system is short of threads
            self.logger.warning("no thread for a client", exc_info=True)
            self.reject(sock)
            self._threads.discard(thread)

    def _serve_client(self, sock: socket.socket) -> None:
        try:
            self._run(sock, self)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def replace(self, sock: socket.socket, secure: socket.socket) -> None:
        """Know a client's socket by the one with TLS that has taken its place."""
        with self._lock:
            self._opening.discard(sock)
            self._opening.add(secure)
            if self.is_closing:
                secure.close()

    def adopt(self, sock: socket.socket, connection: ServerConnection) -> None:
        """Know a client, whose socket was all there was, as a connection."""
        with self._lock:
            self._opening.discard(sock)
            self._all.add(connection)

    def reject(self, sock: socket.socket) -> None:
        """Close a client's socket that will be no connection."""
        sock.close()
        with self._lock:
            self._opening.discard(sock)

    # The end ----------------------------------------------------------------------------

    def shutdown(self, close_connections: bool = True, code: int = 1001, reason: str = "") -> None:
        """Shut down, as :meth:`ws6455.aio.server.Server.close`, and wait until it is done.

        Every handler has ended then, but for one that calls this.
        """
        Close(code, reason).serialize()  # raises
        self._shut_down(None, close_connections, code, reason)

    def _shut_down(
        self,
        last_seconds: float | None,
        close_connections: bool = True,
        code: int = 1001,
        reason: str = "",
    ) -> None:
        """Shut down; wait for the handlers, or so many seconds for those left at the end."""
        with self._lock:
            first, self.is_closing = not self.is_closing, True
            if first:
                self.logger.info("server closing")
                self.socket.close()
                for bell in self._bells:
                    bell.send(b"\0")
            opening, connections = list(self._opening), list(self._all)
        for sock in opening:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        # Each handler sees its connection close, and ends in its own time.
        closing = [c for c in connections if c.leave(close_connections, code, reason)]
        for connection in closing:
            connection.wait_closed()
        deadline = None if last_seconds is None else time.monotonic() + last_seconds
        me = threading.current_thread()
        with self._lock:
            threads = self._threads - {me}
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
            self._shut_down(_LAST_SECONDS)


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

    The options that are not listed are those of :class:`ws6455.aio.server.serve`.

    Args:
        handler: called with each connection once it is open, in a thread of its own; one that
            takes two arguments gets the path as well. When it returns the connection is closed
            with 1000, when it raises with 1011.
        host: name or address to listen on; None for every address.
        port: TCP port; 0 or None lets the system choose.
        sock: a socket to listen on, instead of host and port.
        ssl: the server's TLS context.
        process_request: ``(connection, request) -> Response or None``; sees every request,
            whatever its method; a Response ends the handshake.
        process_response: ``(connection, request, response) -> Response or None``; may change
            the response or replace it.
        create_connection: makes a connection, instead of :class:`ServerConnection`; called with
            the socket, the protocol, the server and the options.
        protocol_class: the class of the protocol, instead of :class:`ws6455.ServerProtocol`.
        kwargs: passed to :func:`socket.create_server`; with ``unix=True``, ``path`` is that of a
            Unix socket.

    Raises:
        OSError: if it cannot be listened there.
    """
    ssl = renamed_option(kwargs, "ssl_context", "ssl", ssl)
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
            session_options(ping_interval, ping_timeout, close_timeout, max_queue),
            protocol_class,
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
    """Return the listening socket that the arguments ask for.

    Raises:
        OSError: if it cannot be listened there.
        ValueError: if a socket is given and an address as well, or no path for a Unix socket.
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
                os.remove(path)  # of a server that is no more
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
