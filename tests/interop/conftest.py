"""Fixtures for the interoperability tests: the two ends of a connection, and a browser."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

import ws6455
from tests.conftest import uri_of
from tests.interop.adapters import MAX_SIZE, Adapter, Peer
from tests.interop.with_chromium import Chromium

Connection = ws6455.ClientConnection | ws6455.ServerConnection
# Takes a flag for compression; yields our end and theirs.
MakeEnds = Callable[[bool], AbstractAsyncContextManager[tuple[Connection, Peer]]]


@dataclass(frozen=True)
class Row:
    """Another implementation in one of its roles."""

    adapter: type[Adapter]
    is_server: bool

    def __str__(self) -> str:
        return f"{self.adapter.name}-{'server' if self.is_server else 'client'}"


@contextlib.asynccontextmanager
async def their_client(adapter: Adapter, compressed: bool) -> AsyncIterator[tuple[Any, Peer]]:
    opened: asyncio.Future[ws6455.ServerConnection] = asyncio.get_running_loop().create_future()

    async def handler(connection: ws6455.ServerConnection) -> None:
        opened.set_result(connection)
        await connection.wait_closed()

    compression = "deflate" if compressed else None
    async with (
        ws6455.serve(handler, "127.0.0.1", 0, compression=compression, max_size=MAX_SIZE) as server,
        adapter.connect(uri_of(server), compressed) as theirs,
    ):
        yield await opened, theirs


@contextlib.asynccontextmanager
async def their_server(adapter: Adapter, compressed: bool) -> AsyncIterator[tuple[Any, Peer]]:
    compression = "deflate" if compressed else None
    async with (
        adapter.serve(compressed) as (uri, opened),
        ws6455.connect(uri, compression=compression, max_size=MAX_SIZE) as ours,
    ):
        yield ours, await opened


@pytest.fixture
def ends(request: pytest.FixtureRequest, row: Row) -> MakeEnds:
    """Return a function for ``async with ends(compressed) as (ours, theirs)``."""
    adapter = (
        Chromium(request.getfixturevalue("browser")) if row.adapter is Chromium else row.adapter()
    )

    @contextlib.asynccontextmanager
    async def make(compressed: bool) -> AsyncIterator[tuple[Any, Peer]]:
        make_theirs = their_server if row.is_server else their_client
        async with asyncio.timeout(60), make_theirs(adapter, compressed) as (ours, theirs):
            yield ours, theirs
            await ours.close()

    return make


@pytest.fixture(scope="session")
def started_browsers() -> Iterator[list[webdriver.Chrome]]:
    """Keep the browser for the whole session, since it takes long to start."""
    started: list[webdriver.Chrome] = []
    yield started
    for driver in started:
        driver.quit()


@pytest.fixture
def browser(
    program: Callable[[str, str], str],
    started_browsers: list[webdriver.Chrome],
    tmp_path_factory: pytest.TempPathFactory,
) -> webdriver.Chrome:
    """Return a headless Chromium."""
    if not started_browsers:
        options = Options()
        options.binary_location = program("chromium", "chromium")
        for flag in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
        ):
            options.add_argument(flag)
        service = Service(program("chromedriver", "chromium-driver"))
        started_browsers.append(webdriver.Chrome(options=options, service=service))
        started_browsers[0].set_script_timeout(30)
    return started_browsers[0]
