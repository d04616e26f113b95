"""Fixtures of the compatibility tests: `websockets` provided by ws6455, and child processes."""

import asyncio
import contextlib
import importlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import ws6455
from tests.conftest import uri_of
from ws6455 import compat

PROGRAMS = Path(__file__).parent / "programs"
Connected = asyncio.Future[ws6455.ServerConnection]
OURS = ("-m", "ws6455", "run")


@contextlib.contextmanager
def without_theirs() -> Iterator[None]:
    """Remove the installed `websockets` from `sys.modules`, and restore it at the end."""
    theirs = {
        name: module
        for name, module in sys.modules.items()
        if name == "websockets" or name.startswith("websockets.")
    }
    for name in theirs:
        del sys.modules[name]
    try:
        yield
    finally:
        sys.modules.update(theirs)


@pytest.fixture
def websockets() -> Iterator[Any]:
    """Return the module `websockets` that ws6455 provides."""
    with without_theirs():
        compat.install()
        try:
            yield importlib.import_module("websockets")
        finally:
            compat.uninstall()


@pytest.fixture(params=["top level", "legacy"])
def connect(request: pytest.FixtureRequest, websockets: Any) -> Any:
    """Return `connect` of the top level and of the legacy API."""
    return websockets.connect if request.param == "top level" else websockets.client.connect


@pytest.fixture(params=["top level", "legacy"])
def serve(request: pytest.FixtureRequest, websockets: Any) -> Any:
    """Return `serve` of the top level and of the legacy API."""
    return websockets.serve if request.param == "top level" else websockets.server.serve


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[tuple[str, Connected]]:
    """Run a server; yield its URI and the server's end of the first connection."""
    first: Connected = asyncio.get_running_loop().create_future()

    async def handler(websocket: ws6455.ServerConnection) -> None:
        if not first.done():
            first.set_result(websocket)
        await websocket.wait_closed()

    async with ws6455.serve(handler, "127.0.0.1", 0, **options) as server:
        yield uri_of(server), first


def reader_of(data: bytes) -> Any:
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    return stream


async def until_closed(websocket: Any, path: str = "") -> None:
    await websocket.wait_closed()


async def refusal(uri: str, **options: Any) -> ws6455.Response:
    """Connect and return the response that rejects the connection."""
    with pytest.raises(ws6455.InvalidStatus) as caught:
        await ws6455.connect(uri, **options)
    assert isinstance(caught.value.response, ws6455.Response)
    return caught.value.response


class Program:
    """A program in a child process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        """Return the next line of standard output."""
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            return (await self.process.stdout.readline()).decode().rstrip("\n")

    async def started(self) -> str:
        """Return the URI that a server prints."""
        line = await self.line()
        start = "Server started on "
        if not line.startswith(start):
            pytest.fail(f"{line!r}, {await self.end()}")
        return line.removeprefix(start)

    async def type(self, text: str) -> None:
        """Write to standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        await self.process.stdin.drain()

    async def end(self, typed: str = "") -> tuple[str, str]:
        """Write to standard input, wait for the end, and return standard output and error."""
        async with asyncio.timeout(20):
            out, err = await self.process.communicate(typed.encode())
        return out.decode(), err.decode()

    async def stop(self) -> tuple[str, str]:
        """Terminate the program, and return standard output and error."""
        self.process.terminate()
        return await self.end()


@contextlib.asynccontextmanager
async def running(*command: str, cwd: Path | None = None) -> AsyncIterator[Program]:
    """Run a program; kill it at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env=os.environ | {"PORT": "0", "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
