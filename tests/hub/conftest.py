"""Fixtures for the tests of the hub: a Redis server, and brokers of both kinds."""

import asyncio
import contextlib
import logging
import os
import shlex
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.aio.conftest import until as aio_until
from ws6455.hub import Broker, MemoryBroker, RedisBroker

# Seconds within which the hub must recover from a restart of Redis, by the requirements.
HEALED = 6.0


class RedisServer:
    """A redis-server without persistence, on a free local port.

    Args:
        path: the path of the program.
        directory: its working directory, which contains its Unix socket.
    """

    def __init__(self, path: str, directory: Path) -> None:
        self._path = path
        self._directory = directory
        self._process: subprocess.Popen[str] | None = None
        self.socket = directory / "redis.sock"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self, *options: str) -> None:
        """Start the server and wait until it accepts connections."""
        assert self._process is None
        arguments = (
            f"--port {self.port} --bind 127.0.0.1 --appendonly no --unixsocket {self.socket}"
        )
        self._process = subprocess.Popen(
            [self._path, *shlex.split(arguments), "--save", "", *options],
            cwd=self._directory,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "The server is now ready to accept connections at" in line:
                return
        pytest.fail("redis-server did not start")

    def stop(self) -> None:
        """Kill the server, even if it is frozen."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        """Stop the process; the system still accepts connections and bytes for it."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def execute(self, *command: str | bytes | int) -> Any:
        """Send a command on a connection of its own."""
        with Redis(port=self.port, protocol=2) as client:
            return client.execute_command(*command)

    def subscribers(self, channel: str) -> int:
        """Return the number of connections that are subscribed to a channel."""
        count: int = self.execute("PUBSUB", "NUMSUB", channel)[1]
        return count


@pytest.fixture
def stopped_redis(program: Callable[[str, str], str], tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that the test starts."""
    server = RedisServer(program("redis-server", "redis-server"), tmp_path)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis(stopped_redis: RedisServer) -> RedisServer:
    """A running Redis server."""
    stopped_redis.start()
    return stopped_redis


@contextlib.asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[RedisBroker]:
    """Open a broker and wait until it is healthy."""
    async with RedisBroker(url, **options) as broker:
        await within(broker.wait_healthy())
        yield broker


@pytest.fixture(params=["memory", "redis"])
def make(request: pytest.FixtureRequest) -> Callable[[], Broker]:
    """A factory of brokers of the same service, not open yet."""
    if request.param == "memory":
        return MemoryBroker
    server: RedisServer = request.getfixturevalue("redis")
    return lambda: RedisBroker(server.url)


@pytest.fixture
async def broker(make: Callable[[], Broker]) -> AsyncIterator[Broker]:
    """A healthy broker of either kind."""
    async with make() as broker:
        await within(broker.wait_healthy())
        yield broker


class Received(asyncio.Queue[Any]):
    """A callback that queues the messages it is called with."""

    def __call__(self, message: Any) -> None:
        self.put_nowait(message)

    async def next(self) -> Any:
        return await within(self.get())


async def within(awaitable: Any, seconds: float = HEALED) -> Any:
    """Wait, but no longer than the time allowed for recovery."""
    async with asyncio.timeout(seconds):
        return await awaitable


async def until(condition: Callable[[], bool]) -> None:
    """Poll until a condition is true, but no longer than the time allowed for recovery."""
    await aio_until(condition, HEALED)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[int], list[str]]:
    """A function ``log(level)`` that returns the hub's log messages of a level."""
    caplog.set_level(logging.DEBUG, "ws6455.hub")

    def told(level: int) -> list[str]:
        return [
            record.getMessage()
            for record in caplog.records
            if record.name == "ws6455.hub" and record.levelno == level
        ]

    return told
