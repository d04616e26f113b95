"""Fixtures of the uvicorn protocol's tests: a uvicorn server, and clients."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import uvicorn
import websockets

import ws6455
from tests.aio.conftest import contexts as contexts  # a fixture
from tests.aio.conftest import no_collector as no_collector  # another
from tests.aio.conftest import until
from ws6455.uvicorn import WebSocketProtocol

Connect = Callable[..., AbstractAsyncContextManager[Any]]


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
