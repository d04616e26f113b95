"""Everything an app's server does beyond its handler.

`serve_app` opens the port, says where it is, runs until SIGINT or SIGTERM and closes what is
open. `Strikes` answers a client's wrong messages and ends a connection that sends nothing
else. Who may connect, and the app's page, are the matter of `apps.admission`.
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
WRONG_IN_A_ROW = 5  # wrong messages, the last of which closes the connection with 1008
CLOSE_TIMEOUT = 2  # seconds that a client has to answer the closing handshake
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Strikes:
    """Counts the wrong messages in a row on one connection.

    A handler calls `wrong` with the error reply for each wrong message and `right` for each
    other one.
    """

    def __init__(self, connection: ws6455.ServerConnection) -> None:
        self.connection = connection
        self.count = 0

    async def wrong(self, reply: str) -> None:
        """Send `reply`; after five in a row close the connection with 1008."""
        self.count += 1
        await self.connection.send(reply)
        if self.count >= WRONG_IN_A_ROW:
            await self.connection.close(
                ws6455.CloseCode.POLICY_VIOLATION, f"{WRONG_IN_A_ROW} wrong messages in a row"
            )

    def right(self) -> None:
        """Forget the wrong messages so far."""
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

    `handler` serves one connection; that its client goes away is no error. `name` is the
    app's name, for what is said to people. `page` is its page in UTF-8. Each of `extra` runs
    beside the server, from when it listens until it stops. The same page and WebSocket are
    on `web_port` too, unless something else uses that port. `max_size` is the longest message
    in bytes. `ready` gets the server's WebSocket address as a client on this machine reaches
    it; it is called after the addresses were printed and before `extra` starts. By then
    ``options.port`` is the real port, so that a client beside the server finds it.

    Raises `SystemExit` with one line (status 1) when the server cannot listen.
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
    no_web = ""
    if web_port and web_port != options.port:
        web_listeners, no_web = _listen_for_web(options.host, web_port, name)

    servers: list[ws6455.Server] = []
    stop = asyncio.Event()
    with contextlib.ExitStack() as at_the_end:
        at_the_end.enter_context(_stopping_on_signals(stop))
        for listener in (*listeners, *web_listeners):
            at_the_end.enter_context(listener)
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
            if no_web:
                print(no_web)
            if ready is not None:
                ready(_address("wss" if tls else "ws", options.host, options.port))
            await _run_until(stop, extra)
        finally:
            await _close(servers)


async def _run_until(stop: asyncio.Event, jobs: Sequence[Job]) -> None:
    """Run `jobs` until `stop` is set; raises what one of them raises."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(job()) for job in jobs]
        await stop.wait()
        for task in running:
            task.cancel()


async def _close(servers: Sequence[ws6455.Server]) -> None:
    """Close all connections with 1001; give up on those that do not get done in time."""
    for server in servers:
        server.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT + 1):
            await asyncio.gather(*(server.wait_closed() for server in servers))


@contextlib.contextmanager
def _stopping_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Set `stop` on SIGINT and SIGTERM; more of them change nothing, here and afterwards."""
    loop = asyncio.get_running_loop()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        # A further one must neither run into this one nor cut the process short before its end.
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
    """Open the listening sockets; raises `SystemExit` with one line when that fails."""
    try:
        return _listeners(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"Port {port} is in use: choose another with --port (0 picks a free one)")
        sys.exit(f"Cannot listen on {host} port {port}: {error.strerror or error}")
    except UnicodeError:
        sys.exit(f"Cannot listen on {host!r}: no host has such a name")


def _listen_for_web(host: str, port: int, name: str) -> tuple[list[socket.socket], str]:
    """Open the sockets of the page's extra port, or tell on one line why there are none."""
    try:
        return _listeners(host, port), ""
    except OSError as error:
        return [], f"No page of the {name} on port {port}: {os.strerror(error.errno or 0)}"


def _listeners(host: str, port: int) -> list[socket.socket]:
    """Open one listening socket for each address of `host`, all on the same port.

    ``localhost`` is 127.0.0.1 and, where the machine has IPv6, ::1. Port 0 is a free one.
    Raises `OSError`.
    """
    if host != "localhost":
        (family, _, _, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        dual = host == "::" and socket.has_dualstack_ipv6()
        return [_bound(family, address[0], port, dual=dual)]
    first = _bound(socket.AF_INET, "127.0.0.1", port)
    try:
        second = _bound(socket.AF_INET6, "::1", first.getsockname()[1])
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return [first]  # a machine without IPv6
        first.close()
        if port == 0:
            return _listeners(host, port)  # another program has this number on ::1
        raise
    return [first, second]


def _bound(family: int, host: str | int, port: int, *, dual: bool = False) -> socket.socket:
    return socket.create_server((host, port), family=family, dualstack_ipv6=dual)


def _announce(
    options: argparse.Namespace, page: bytes | None, web: Sequence[socket.socket]
) -> None:
    """Print where the server is, and where its page is."""
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
    """Give the address of a port of this machine, for a client on this machine if it may be."""
    if is_loopback(host) or _is_unspecified(host):
        host = "localhost"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _is_unspecified(host: str) -> bool:
    """Tell whether `host` stands for all addresses of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _own_addresses(host: str) -> list[str]:
    """Give the addresses from which this machine reaches others (nothing is sent)."""
    probes = [(socket.AF_INET, "192.0.2.1")]
    if host == "::":
        probes.append((socket.AF_INET6, "2001:db8::1"))
    found = []
    for family, elsewhere in probes:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            found.append(str(probe.getsockname()[0]))
    return found
