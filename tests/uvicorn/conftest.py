"""Fixtures of the uvicorn protocol's tests: a uvicorn server, and clients."""

import asyncio
import contextlib
import dataclasses
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import uvicorn
import uvloop
import websockets

import ws6455
from tests.aio.conftest import contexts as contexts  # a fixture
from tests.aio.conftest import no_collector as no_collector  # another
from tests.aio.conftest import until
from ws6455.testing import RawPeer
from ws6455.uvicorn import WebSocketProtocol

Connect = Callable[..., AbstractAsyncContextManager[Any]]

REQUEST = (
    "GET /a%20b?c=d HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


@contextlib.asynccontextmanager
async def serving(
    app: Any, tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[uvicorn.Server]:
    """Run an application with uvicorn in this loop, on a port of its own."""
    options = {"ws": WebSocketProtocol, "log_config": None, **options}
    config = uvicorn.Config(app, host="127.0.0.1", port=0, **options)
    if tls is not None:
        config.load()
        config.ssl = tls
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started or running.done())
    try:
        yield server
    finally:
        server.should_exit = True
        async with asyncio.timeout(10):
            await running


def port_of(server: uvicorn.Server) -> int:
    port = server.servers[0].sockets[0].getsockname()[1]
    assert isinstance(port, int)
    return port


def uri_of(server: uvicorn.Server, path: str = "/") -> str:
    return f"ws://127.0.0.1:{port_of(server)}{path}"


@pytest.fixture(params=[ws6455.connect, websockets.connect], ids=["ws6455", "websockets"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Give ``connect(uri, **options)`` of each package."""
    make: Connect = request.param
    return make


REFUSED: Any = (ws6455.InvalidStatus, websockets.InvalidStatus)


async def refusal_of(connecting: AbstractAsyncContextManager[Any]) -> Any:
    """Connect to a server that refuses; give its response."""
    with pytest.raises(REFUSED) as caught:
        await connecting.__aenter__()
    return caught.value.response


async def closing_of(client: Any) -> tuple[int, str]:
    """Wait until the server has closed the connection; give its code and reason."""
    async with asyncio.timeout(5):
        await client.wait_closed()
    return client.close_code, client.close_reason


async def raw(server: Any, *headers: str, **options: Any) -> RawPeer:
    """Send a request with more headers, and return who reads what comes of it."""
    peer = await RawPeer.connect("127.0.0.1", port_of(server), **options)
    peer.send("".join([REQUEST, *(f"{line}\r\n" for line in headers), "\r\n"]).encode())
    return peer


@dataclasses.dataclass
class Way:
    """A way to run uvicorn: on an event loop, with an HTTP protocol, and TLS or not."""

    loop_factory: Callable[[], asyncio.AbstractEventLoop]
    http: str
    contexts: tuple[ssl.SSLContext, ssl.SSLContext] | None

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a test's coroutine, for half a minute at most."""

        async def bounded() -> None:
            async with asyncio.timeout(30):
                await main()

        with asyncio.Runner(loop_factory=self.loop_factory) as runner:
            runner.run(bounded())

    def serving(self, app: Any, **options: Any) -> AbstractAsyncContextManager[uvicorn.Server]:
        """Run an application; see :func:`serving`."""
        tls = None if self.contexts is None else self.contexts[0]
        return serving(app, tls, http=self.http, lifespan="off", **options)

    async def raw(self, server: Any, *headers: str) -> RawPeer:
        """Connect a raw peer; see :func:`raw`."""
        if self.contexts is None:
            return await raw(server, *headers)
        return await raw(server, *headers, ssl=self.contexts[1], server_hostname="localhost")


@pytest.fixture(
    params=[
        "asyncio h11",
        "asyncio httptools",
        "asyncio h11 tls",
        "uvloop httptools tls",
        "uvloop h11",
    ]
)
def way(request: pytest.FixtureRequest, contexts: Any) -> Way:
    """Give each way to run uvicorn."""
    loop, http, *tls = request.param.split()
    if http == "httptools":
        pytest.importorskip("httptools")
    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    return Way(factory, http, contexts if tls else None)
