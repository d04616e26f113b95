"""Sockets of an asyncio client: lookup, a race of the addresses, Unix sockets, transports.

RFC 8305 (Happy Eyeballs). The schedule is in :mod:`ws6455.client.addresses`. Event loops differ:
uvloop tries one address after the other. Hence the race is run here, on every loop.
"""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from ..client.addresses import Addresses, AddressInfo, Attempts, is_literal
from ..client.deadline import Deadline
from .tls import PlainProtocol, start_tls

__all__ = ["TCP_OPTIONS", "look_up", "open_tcp", "open_transport", "open_unix"]

# Seconds until a Unix socket whose backlog is full is tried again: nothing tells when it has room.
_RETRY_DELAY = 0.01

#: Arguments of the loop's ``create_connection`` that :func:`open_tcp` takes.
TCP_OPTIONS = (
    "family",
    "proto",
    "flags",
    "local_addr",
    "happy_eyeballs_delay",
    "interleave",
    "all_errors",
)


async def look_up(host: str | None, port: int, deadline: Deadline, **options: int) -> Addresses:
    """Call the loop's ``getaddrinfo``.

    Args:
        host: name or address; None for this machine.
        port: TCP port.
        deadline: is told the step.
        options: passed on.

    Raises:
        OSError: if the lookup fails.
    """
    if is_literal(host):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, **options)
    deadline.step = f"resolving {host}"
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, **options)


async def open_tcp(
    host: str | None,
    port: int,
    deadline: Deadline,
    *,
    family: int = 0,
    proto: int = 0,
    flags: int = 0,
    local_addr: tuple[str, int] | None = None,
    **policy: Any,
) -> socket.socket:
    """Connect to the first address of a host that answers.

    Args:
        host: name or address; None for this machine.
        port: TCP port.
        deadline: is told the steps; the caller cancels this coroutine at its end.
        family: passed to the loop's ``getaddrinfo``.
        proto: the same.
        flags: the same.
        local_addr: host and port to bind the socket to.
        policy: options of :class:`~ws6455.client.addresses.Attempts`.

    Returns:
        A connected socket that does not block.

    Raises:
        OSError: if the lookup fails, or no address can be connected to.
    """
    loop = asyncio.get_running_loop()
    search = functools.partial(look_up, deadline=deadline, family=family, proto=proto, flags=flags)
    local = None if local_addr is None else await search(*local_addr)
    infos = await search(host, port)
    attempts = Attempts(host, port, infos, deadline, **policy)
    pending: dict[asyncio.Task[socket.socket], AddressInfo] = {}
    is_connected = False
    try:
        while True:
            for info in attempts.due():
                pending[loop.create_task(_connect(loop, info, local))] = info
            done, _ = await asyncio.wait(
                pending, timeout=attempts.seconds_left(), return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                with attempts.noting_failure(pending.pop(task)):
                    sock = task.result()
                    is_connected = True
                    return sock
    finally:
        for task in pending:
            task.add_done_callback(_discard)
            task.cancel()
        if pending and not is_connected:  # a cancellation here would lose a connected socket
            await asyncio.wait(pending)


async def _connect(
    loop: asyncio.AbstractEventLoop, info: AddressInfo, local: Addresses | None
) -> socket.socket:
    """Connect to one address, from a local address of the same family if any are given.

    Raises:
        OSError: if the socket cannot be made, bound or connected.
    """
    family, kind, proto, _, address = info
    if family == socket.AF_INET6 and address[3]:
        # uvloop uses the zone of an IPv6 address only as a part of the host.
        address = (f"{address[0].partition('%')[0]}%{address[3]}", *address[1:])
    sock = socket.socket(family, kind, proto)
    try:
        sock.setblocking(False)
        if local is not None:
            _bind(sock, [info[4] for info in local if info[0] == family])
        await loop.sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind(sock: socket.socket, addresses: Sequence[Any]) -> None:
    """Bind a socket to the first of some addresses that it can be bound to."""
    error = OSError("no local address of the same family")
    for address in addresses:
        try:
            return sock.bind(address)
        except OSError as exc:
            error = exc
    raise error


def _discard(task: asyncio.Task[socket.socket]) -> None:
    """Close the socket of an attempt that is not needed."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _abort(task: asyncio.Task[tuple[asyncio.Transport, asyncio.Protocol]]) -> None:
    """Close a transport that is not needed."""
    if not task.cancelled() and task.exception() is None:
        task.result()[0].abort()


async def open_unix(path: str | os.PathLike[str], deadline: Deadline) -> socket.socket:
    """Connect to a Unix socket; wait while its backlog is full.

    Args:
        path: path of the socket.
        deadline: is told the step; the caller cancels this coroutine at its end.

    Returns:
        A connected socket that does not block.

    Raises:
        OSError: if it cannot be connected to.
    """
    deadline.step = f"connecting to {os.fspath(path)}"
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.setblocking(False)
        while True:
            try:
                sock.connect(os.fspath(path))
                return sock
            except BlockingIOError:
                await asyncio.sleep(_RETRY_DELAY)
    except BaseException:
        sock.close()
        raise


async def open_transport(
    factory: Callable[[], asyncio.Protocol],
    sock: socket.socket,
    deadline: Deadline,
    context: ssl.SSLContext | None,
    tls_options: dict[str, Any],
    **options: Any,
) -> asyncio.Transport:
    """Create the transport of a connected socket, which is closed on failure.

    Args:
        factory: returns the protocol.
        sock: the socket; it belongs to the transport from now on.
        deadline: is told the step.
        context: TLS context; None for plain text.
        tls_options: options of :func:`~ws6455.aio.tls.start_tls`.
        options: arguments of the loop's ``create_connection``.

    Raises:
        OSError: if TLS fails.
    """
    loop = asyncio.get_running_loop()
    protocol = PlainProtocol if context else factory
    try:
        # Never cancelled: uvloop would drop the transport without telling its protocol.
        creating = loop.create_task(loop.create_connection(protocol, sock=sock, **options))
        transport, _ = await asyncio.shield(creating)
    except asyncio.CancelledError:
        creating.add_done_callback(_abort)
        raise
    except BaseException:
        sock.close()
        raise
    if not context:
        return transport
    deadline.step = f"performing the TLS handshake with {tls_options['server_hostname']}"
    return await start_tls(transport, factory(), context, **tls_options)
