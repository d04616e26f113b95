"""Fixtures for pytest: a connected pair, a server on a free port, a bad network.

A project enables them in its top-level ``conftest.py``::

    pytest_plugins = ["ws6455.testing.fixtures"]

They work with pytest-asyncio, in its modes ``auto`` and ``strict``, and with anyio's plugin on
its asyncio backend. With anyio, a test also needs `anyio_backend`, by mark or as an argument.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from ..aio.client_connection import ClientConnection
from ..aio.server import Handler, Server, serve
from ..aio.server_connection import ServerConnection
from .link import Link
from .pair import connected_pair

__all__ = ["MakeLink", "MakeServer", "Served", "ws_link", "ws_pair", "ws_server"]


def _fixture(function: Callable[..., AsyncIterator[Any]]) -> Any:
    """Declare a fixture for pytest-asyncio, in every mode, or for anyio without it."""
    try:
        import pytest_asyncio
    except ImportError:
        return pytest.fixture(function)  # anyio handles pytest's own fixtures
    return pytest_asyncio.fixture(function)


class Served(NamedTuple):
    """A server on a free port.

    Attributes:
        server: the server.
        host: the address it listens on.
        port: its TCP port.
        uri: the URI for clients.
    """

    server: Server
    host: str
    port: int
    uri: str


#: ``(handler, **options)``: the arguments of :class:`~ws6455.serve` except host and port.
MakeServer = Callable[..., Awaitable[Served]]
#: ``(host, port, **options)``: the arguments of :class:`~ws6455.testing.Link`.
MakeLink = Callable[..., Awaitable[Link]]


@_fixture
async def ws_pair(
    request: pytest.FixtureRequest,
) -> AsyncIterator[tuple[ClientConnection, ServerConnection]]:
    """A client and a server connected in memory.

    Example::

        async def test_hello(ws_pair):
            client, server = ws_pair
            await client.send("Hello")
            assert await server.recv() == "Hello"

    To set options of :func:`~ws6455.testing.connected_pair`, parametrize it indirectly::

        @pytest.mark.parametrize("ws_pair", [{"server_options": {"max_size": 9}}], indirect=True)
    """
    async with connected_pair(**getattr(request, "param", {})) as pair:
        yield pair


@_fixture
async def ws_server() -> AsyncIterator[MakeServer]:
    """A function that serves on a free port until the test ends; see :data:`MakeServer`.

    Example::

        async def test_echo(ws_server):
            served = await ws_server(echo, max_size=100)
            async with connect(served.uri) as client:
                ...
    """
    async with contextlib.AsyncExitStack() as stack:

        async def make(handler: Handler, **options: Any) -> Served:
            server = await stack.enter_async_context(serve(handler, "127.0.0.1", 0, **options))
            host, port = next(iter(server.sockets)).getsockname()
            scheme = "ws" if options.get("ssl") is None else "wss"
            return Served(server, host, port, f"{scheme}://{host}:{port}/")

        yield make


@_fixture
async def ws_link() -> AsyncIterator[MakeLink]:
    """A function that opens a link to a server until the test ends; see :data:`MakeLink`.

    Example::

        async def test_latency(ws_server, ws_link):
            served = await ws_server(echo)
            link = await ws_link(served.host, served.port, latency=0.1)
            async with connect(link.uri) as client:
                assert await (await client.ping()) > 0.2
    """
    async with contextlib.AsyncExitStack() as stack:

        async def make(host: str, port: int, **options: Any) -> Link:
            return await stack.enter_async_context(Link(host, port, **options))

        yield make
