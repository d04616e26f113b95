"""The library's own connections in memory: a server, a pair, one end with a raw peer.

Client, server and opening handshake are the real ones; only the transports are those of
:mod:`ws6455.testing.memory`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, cast

from ..aio.client import connect
from ..aio.client_connection import ClientConnection
from ..aio.server import Handler, Server, serve
from ..aio.server_connection import ServerConnection
from ..aio.streams import StreamProtocol
from ..client.deadline import Deadline
from ..protocol.states import Side
from .memory import join
from .raw import RawAcceptor, RawPeer

__all__ = [
    "MemoryServer",
    "RawMemoryServer",
    "client_and_peer",
    "connected_pair",
    "server_and_peer",
]

URI = "ws://localhost/"


class MemoryServer(Server):
    """A server without a socket, for any number of clients in the same event loop.

    Example::

        async with MemoryServer(echo) as server, server.connect() as client:
            await client.send("Hello")
            assert await client.recv() == "Hello"

    Args:
        handler: see :class:`~ws6455.serve`.
        options: the options of :class:`~ws6455.serve` that do not concern a socket.

    Raises:
        TypeError, ValueError: if an option is unknown or invalid.
    """

    def __init__(self, handler: Handler, **options: Any) -> None:
        choices = serve(handler, **options)
        _reject(choices.listen_options)
        super().__init__(handler, choices)
        self.server: asyncio.Server = cast(asyncio.Server, _Listener())

    def connect(self, uri: str = URI, **options: Any) -> connect:
        """Connect a client; await the result, enter it or iterate over it.

        Args:
            uri: the URI for the handshake; its scheme is ``ws``.
            options: the options of :class:`~ws6455.connect` that do not concern a socket.

        Raises:
            TypeError, ValueError: if an option is unknown or invalid.
        """
        return _MemoryConnect(uri, self._accept, options)

    def raw_client(self, *, timeout: float = 5) -> RawPeer:
        """Connect a raw client, which has not sent anything.

        Args:
            timeout: seconds that a read may take.
        """
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = join(protocol, self._accept())
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        return RawPeer(reader, writer, Side.CLIENT, timeout=timeout)

    def _accept(self) -> StreamProtocol:
        """Create the stream protocol to join to a client.

        Raises:
            ConnectionRefusedError: if the server no longer accepts clients.
        """
        if not self.is_serving():
            raise ConnectionRefusedError("the server is closed")
        return self.new_stream()


class RawMemoryServer(RawAcceptor):
    r"""A raw server without a socket, for clients in the same event loop.

    Example::

        async with RawMemoryServer() as server:
            connecting = asyncio.ensure_future(server.connect())
            peer = await server.accept()
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n")

    Args:
        timeout: seconds that :meth:`accept`, and a peer's read, may take.
    """

    def connect(self, uri: str = URI, **options: Any) -> connect:
        """Connect a client; see :meth:`MemoryServer.connect`."""
        return _MemoryConnect(uri, self._new_stream, options)

    def _new_stream(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self.connected)


@contextlib.asynccontextmanager
async def connected_pair(
    client_options: Mapping[str, Any] | None = None,
    server_options: Mapping[str, Any] | None = None,
    *,
    uri: str = URI,
) -> AsyncIterator[tuple[ClientConnection, ServerConnection]]:
    """Connect a client and a server in memory; the client closes at the end.

    Example::

        async with connected_pair(server_options={"subprotocols": ["chat"]}) as (client, server):
            await client.send("Hello")
            assert await server.recv() == "Hello"

    Args:
        client_options: the options of :class:`~ws6455.connect` that do not concern a socket.
        server_options: the options of :class:`~ws6455.serve` that do not concern a socket.
        uri: the URI for the handshake; its scheme is ``ws``.

    Raises:
        InvalidHandshake: if the handshake fails.
        TypeError, ValueError: if an option is unknown or invalid.
    """
    async with (
        _serving_one(server_options or {}) as (server, opened),
        server.connect(uri, **(client_options or {})) as client,
    ):
        yield client, await opened


@contextlib.asynccontextmanager
async def server_and_peer(**options: Any) -> AsyncIterator[tuple[ServerConnection, RawPeer]]:
    """Connect a raw client to a server in memory, and complete the opening handshake.

    Example::

        async with server_and_peer(max_size=100) as (server, peer):
            peer.send_frame(Opcode.TEXT, b"x" * 101)
            assert (await peer.frame()).opcode == Opcode.CLOSE

    Args:
        options: the options of :class:`~ws6455.serve` that do not concern a socket.

    Raises:
        TimeoutError: if the server does not open the connection.
        TypeError, ValueError: if an option is unknown or invalid.
    """
    async with _serving_one(options) as (server, opened), server.raw_client() as peer:
        await peer.open()
        async with asyncio.timeout(peer.timeout):
            connection = await opened
        yield connection, peer


@contextlib.asynccontextmanager
async def client_and_peer(**options: Any) -> AsyncIterator[tuple[ClientConnection, RawPeer]]:
    """Connect a client to a raw server in memory, and complete the opening handshake.

    Example::

        async with client_and_peer(ping_interval=0.1) as (client, peer):
            assert (await peer.frame()).opcode == Opcode.PING

    Args:
        options: the options of :class:`~ws6455.connect` that do not concern a socket.

    Raises:
        TypeError, ValueError: if an option is unknown or invalid.
    """
    async with RawMemoryServer() as server:
        connecting = server.connect(**options)
        client, peer = await asyncio.gather(connecting, _accept_and_open(server))
        try:
            yield client, peer
        finally:
            await peer.close()
            await client.close()


async def _accept_and_open(server: RawMemoryServer) -> RawPeer:
    peer = await server.accept()
    await peer.open()
    return peer


@contextlib.asynccontextmanager
async def _serving_one(
    options: Mapping[str, Any],
) -> AsyncIterator[tuple[MemoryServer, asyncio.Future[ServerConnection]]]:
    """Serve one connection, the result of the future; its handler waits until the end."""
    opened: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()
    end = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        opened.set_result(connection)
        await end.wait()

    async with MemoryServer(handler, **options) as server:
        try:
            yield server, opened
        finally:
            end.set()


class _MemoryConnect(connect):
    """`connect`, with a transport in memory in place of TCP."""

    def __init__(
        self, uri: str, new_stream: Callable[[], asyncio.Protocol], options: Mapping[str, Any]
    ) -> None:
        super().__init__(uri, **options)
        _reject(self._transport_options)
        self._new_stream = new_stream

    async def _open_transport(self, deadline: Deadline) -> ClientConnection:
        if self.ws_uri.secure:
            raise ValueError(f"there is no TLS in memory: {self.uri}")
        connection = self.new_connection()
        client = StreamProtocol(asyncio.get_running_loop(), lambda writer: connection)
        join(client, self._new_stream())
        return connection


class _Listener:
    """A replacement for :class:`asyncio.Server`, with the methods that the library calls."""

    sockets: tuple[socket.socket, ...] = ()

    def __init__(self) -> None:
        self._serving = True

    def is_serving(self) -> bool:
        return self._serving

    def close(self) -> None:
        self._serving = False

    async def start_serving(self) -> None:
        """Do nothing: it serves from the start."""

    async def wait_closed(self) -> None:
        """Do nothing: the server itself waits for its connections."""


def _reject(options: Mapping[str, Any]) -> None:
    """Reject options that concern a socket, or are unknown.

    Raises:
        TypeError: if there is such an option.
    """
    unknown = [name for name, value in options.items() if value is not None]
    if unknown:
        raise TypeError(f"unknown option without a socket: {', '.join(unknown)}")
