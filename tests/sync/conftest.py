"""Fixtures of the threaded front end's tests."""

import contextlib
import gc
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.aio.conftest import contexts as contexts
from tests.contract.conftest import until
from ws6455.sync.client import ClientConnection, connect
from ws6455.sync.server import Server, ServerConnection, serve


def echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


@contextlib.contextmanager
def serving(
    handler: Any = echo,
    *args: Any,
    make: Callable[..., Server] = serve,
    **options: Any,
) -> Iterator[Server]:
    """Serve in a thread."""
    with make(handler, *(args or ("127.0.0.1", 0)), **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
    thread.join(10)
    assert not thread.is_alive()


def uri_of(server: Server, scheme: str = "ws") -> str:
    return f"{scheme}://localhost:{server.socket.getsockname()[1]}/"


@contextlib.contextmanager
def connected(
    server_tls: ssl.SSLContext | None = None,
    client_tls: ssl.SSLContext | None = None,
    **options: Any,
) -> Iterator[tuple[ClientConnection, ServerConnection]]:
    """Give the two ends of one connection."""
    first: list[ServerConnection] = []
    end = threading.Event()

    def handler(connection: ServerConnection) -> None:
        first.append(connection)
        end.wait()

    with serving(handler, ssl=server_tls, **options) as server:
        try:
            uri = uri_of(server, "ws" if server_tls is None else "wss")
            with connect(uri, ssl=client_tls, **options) as client:
                until(lambda: bool(first))
                yield client, first.pop()
        finally:
            end.set()


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    until(lambda: not set(threading.enumerate()) - before)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Switch the garbage collector off: what goes, goes because nothing refers to it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
