"""The common part of the apps' servers.

`serve_app` listens, prints the addresses, runs until SIGINT or SIGTERM and closes all
connections. `WrongMessages` answers a client's wrong messages and closes a connection that
sends too many in a row. Access control and the app's page are in `apps.admission`.
"""

import argparse
import asyncio
import contextlib
import errno
import ipaddress
import os
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from types import FrameType
from typing import Any

import ws6455
from apps.admission import Admission, is_loopback

Handler = Callable[[ws6455.ServerConnection], Awaitable[None]]
Job = Callable[[], Coroutine[Any, Any, object]]

MAX_MESSAGE = 4096  # bytes; a longer message closes the connection with 1009
MAX_WRONG_IN_A_ROW = 5  # wrong messages; the fifth closes the connection with 1008
CLOSE_TIMEOUT = 2  # seconds for a client to answer the closing handshake
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class WrongMessages:
    """Counter of consecutive wrong messages on one connection.

    A handler calls `reject` with an error reply for each wrong message, and `reset` for each
    right one.
    """

    def __init__(self, connection: ws6455.ServerConnection) -> None:
        self.connection = connection
        self.count = 0

    async def reject(self, reply: str) -> None:
        """Send `reply`; after five wrong messages in a row close the connection with 1008."""
        self.count += 1
        await self.connection.send(reply)
        if self.count >= MAX_WRONG_IN_A_ROW:
            await self.connection.close(
                ws6455.CloseCode.POLICY_VIOLATION, f"{MAX_WRONG_IN_A_ROW} wrong messages in a row"
            )

    def reset(self) -> None:
        """Reset the count after a right message."""
        self.count = 0


async def serve_app(
    handler: Handler,
    options: argparse.Namespace,
    *,
    name: str,
    page: bytes | None = None,
    extra: Sequence[Job] = (),
    web_port: int | None = None,
    max_size: int = MAX_MESSAGE,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Run an app's server until SIGINT, SIGTERM or cancellation, then close with 1001.

    `handler` serves one connection; `ConnectionClosed` ends it without an error. `name` is the
    app's name for messages to the user, `page` its page in UTF-8, and `max_size` the longest
    message in bytes. The jobs of `extra` run while the server listens. The same page and
    WebSocket are also served on `web_port`, unless another program uses that port.

    `ready` is called with the server's WebSocket address for clients on this machine, after
    the addresses are printed and before the jobs start. From then on ``options.port`` is the
    real port, so that a client in the same process can connect.

    Raises `SystemExit` with one line (status 1) if the server cannot listen.
    """
    tls = _server_tls(options)
    clients = 0

    async def serve_one(connection: ws6455.ServerConnection) -> None:
        nonlocal clients
        clients += 1
        try:
            with contextlib.suppress(ws6455.ConnectionClosed):
                await handler(connection)
        finally:
            clients -= 1

    admission = Admission(options, page, lambda: clients)
    listeners = _listen(options.host, options.port)
    options.port = listeners[0].getsockname()[1]
    web_listeners: list[socket.socket] = []
    web_failure = ""
    if web_port and web_port != options.port:
        web_listeners, web_failure = _listen_for_web(options.host, web_port, name)

    servers: list[ws6455.Server] = []
    stop = asyncio.Event()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_stopping_on_signals(stop))
        for listener in (*listeners, *web_listeners):
            stack.enter_context(listener)
        try:
            for listener in (*listeners, *web_listeners):
                servers.append(
                    await ws6455.serve(
                        serve_one,
                        sock=listener,
                        ssl=tls,
                        process_request=admission.process_request,
                        max_size=max_size,
                        close_timeout=CLOSE_TIMEOUT,
                    )
                )
            _announce(options, page, web_listeners)
            if web_failure:
                print(web_failure)
            if ready is not None:
                ready(_address("wss" if tls else "ws", options.host, options.port))
            await _run_until(stop, extra)
        finally:
            await _close(servers)


async def _run_until(stop: asyncio.Event, jobs: Sequence[Job]) -> None:
    """Run `jobs` until `stop` is set; propagate an exception of a job."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(job()) for job in jobs]
        await stop.wait()
        for task in running:
            task.cancel()


async def _close(servers: Sequence[ws6455.Server]) -> None:
    """Close all connections with 1001, and wait for them within a time limit."""
    for server in servers:
        server.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT + 1):
            await asyncio.gather(*(server.wait_closed() for server in servers))


@contextlib.contextmanager
def _stopping_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Set `stop` on the first SIGINT or SIGTERM; ignore further ones until the process ends."""
    loop = asyncio.get_running_loop()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        # A further signal must neither interrupt this handler nor end the process early.
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, on_signal) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        if not stop.is_set():
            for number, previous in before.items():
                signal.signal(number, previous)


def _server_tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    if options.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
    except OSError as error:
        sys.exit(f"Cannot use --tls-cert {options.tls_cert}: {error.strerror or error}")
    return context


def _listen(host: str, port: int) -> list[socket.socket]:
    """Open the listening sockets; raises `SystemExit` with one line if that fails."""
    try:
        return _open_listeners(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"Port {port} is in use: choose another with --port (0 picks a free one)")
        sys.exit(f"Cannot listen on {host} port {port}: {error.strerror or error}")
    except UnicodeError:
        sys.exit(f"Cannot listen on {host!r}: invalid host name")


def _listen_for_web(host: str, port: int, name: str) -> tuple[list[socket.socket], str]:
    """Open the sockets of the page's extra port; on failure return none and a one-line reason."""
    try:
        return _open_listeners(host, port), ""
    except OSError as error:
        return [], f"The page of the {name} is not on port {port}: {os.strerror(error.errno or 0)}"


def _open_listeners(host: str, port: int) -> list[socket.socket]:
    """Open one listening socket for each address of `host`, all on the same port.

    ``localhost`` means 127.0.0.1 and, if the machine has IPv6, ::1. Port 0 picks a free port.
    Raises `OSError`.
    """
    if host != "localhost":
        (family, _, _, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        dual = host == "::" and socket.has_dualstack_ipv6()
        return [_create_server(family, address[0], port, dual=dual)]
    first = _create_server(socket.AF_INET, "127.0.0.1", port)
    try:
        second = _create_server(socket.AF_INET6, "::1", first.getsockname()[1])
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return [first]  # a machine without IPv6
        first.close()
        if port == 0:
            return _open_listeners(host, port)  # another program uses this port on ::1
        raise
    return [first, second]


def _create_server(family: int, host: str | int, port: int, *, dual: bool = False) -> socket.socket:
    return socket.create_server((host, port), family=family, dualstack_ipv6=dual)


def _announce(
    options: argparse.Namespace, page: bytes | None, web: Sequence[socket.socket]
) -> None:
    """Print the addresses of the server and of its page."""
    ws, http = ("wss", "https") if options.tls_cert else ("ws", "http")
    token = "?token=..." if options.token else ""
    ports = [options.port, *{listener.getsockname()[1] for listener in web}]
    print(f"Server started on {_address(ws, options.host, options.port)}")
    if page is not None:
        for number in ports:
            print(f"Page: {_address(http, options.host, number)}/{token}")
    if not _is_unspecified(options.host):
        return
    for address in _own_addresses(options.host):
        scheme, path = (ws, "") if page is None else (http, "/" + token)
        print(f"From other machines: {_address(scheme, address, options.port)}{path}")


def _address(scheme: str, host: str, port: int) -> str:
    """Return a URL of a port of this machine, with ``localhost`` if local clients can use it."""
    if is_loopback(host) or _is_unspecified(host):
        host = "localhost"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _is_unspecified(host: str) -> bool:
    """Return whether `host` stands for all addresses of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _own_addresses(host: str) -> list[str]:
    """Return this machine's addresses on its outgoing routes; sends nothing."""
    probes = [(socket.AF_INET, "192.0.2.1")]
    if host == "::":
        probes.append((socket.AF_INET6, "2001:db8::1"))
    found = []
    for family, elsewhere in probes:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            found.append(str(probe.getsockname()[0]))
    return found
