"""What the tests of the hub share: a Redis of their own, and brokers of both kinds."""

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

# As long as Redis may be away after a restart, by the requirements.
HEALED = 6.0


class RedisServer:
    """A redis-server that keeps nothing, on a free port of this machine.

    Args:
        path: of the program.
        directory: where it runs; its Unix socket is there.
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
        """Start and wait until it accepts connections."""
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
        """Kill it, also where it is frozen."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        """Let it accept connections and bytes, and do nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def execute(self, *command: str | bytes | int) -> Any:
        """Send a command, on a connection that is closed at once."""
        with Redis(port=self.port, protocol=2) as client:
            return client.execute_command(*command)

    def subscribers(self, channel: str) -> int:
        """Tell how many connections are subscribed to a channel."""
        count: int = self.execute("PUBSUB", "NUMSUB", channel)[1]
        return count


@pytest.fixture
def stopped_redis(program: Callable[[str, str], str], tmp_path: Path) -> Iterator[RedisServer]:
    """Give a Redis that a test starts."""
    server = RedisServer(program("redis-server", "redis-server"), tmp_path)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis(stopped_redis: RedisServer) -> RedisServer:
    """Give a Redis that runs."""
    stopped_redis.start()
    return stopped_redis


@contextlib.asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[RedisBroker]:
    """Give a broker that is healthy."""
    async with RedisBroker(url, **options) as broker:
        await within(broker.wait_healthy())
        yield broker


@pytest.fixture(params=["memory", "redis"])
def make(request: pytest.FixtureRequest) -> Callable[[], Broker]:
    """Give what makes a broker, not open yet; all of them are of one service."""
    if request.param == "memory":
        return MemoryBroker
    server: RedisServer = request.getfixturevalue("redis")
    return lambda: RedisBroker(server.url)


@pytest.fixture
async def broker(make: Callable[[], Broker]) -> AsyncIterator[Broker]:
    """Give an open broker of either kind."""
    async with make() as broker:
        await within(broker.wait_healthy())
        yield broker


class Received(asyncio.Queue[Any]):
    """A callback that keeps what it is called with."""

    def __call__(self, message: Any) -> None:
        self.put_nowait(message)

    async def next(self) -> Any:
        return await within(self.get())


async def within(awaitable: Any, seconds: float = HEALED) -> Any:
    """Wait, but no longer than Redis may take to be back."""
    async with asyncio.timeout(seconds):
        return await awaitable


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what nothing can be awaited for, no longer than Redis may take to be back."""
    await aio_until(condition, HEALED)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[int], list[str]]:
    """Give a function ``log(level)`` that returns what the hub has logged at a level."""
    caplog.set_level(logging.DEBUG, "ws6455.hub")

    def told(level: int) -> list[str]:
        return [
            record.getMessage()
            for record in caplog.records
            if record.name == "ws6455.hub" and record.levelno == level
        ]

    return told
