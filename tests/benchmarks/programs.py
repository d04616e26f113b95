"""Helpers to start the programs under test, and an echo server with a limited number of answers."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ws6455

ROOT = Path(__file__).parent.parent.parent

# Seconds before the first answer of a counting server: longer than every warm-up in the tests.
SILENCE = 0.4


def start(package: str, *arguments: str) -> subprocess.Popen[str]:
    """Start ``python -m benchmarks.servers`` or ``.clients``."""
    return subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{package}", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(
    *arguments: str, may_complain: bool = False
) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run a peer's server; yield its port and process. It must exit with 0 and print no error.

    `may_complain` permits errors on standard error: some servers log clients that disconnect
    during the opening handshake.
    """
    with start("servers", *arguments) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield int(line), process
            process.stdin.close()
            assert process.wait(10) == 0
            assert process.stderr.read() == "" or may_complain
        finally:
            process.kill()


@dataclass
class Counting:
    """An echo server that is silent first, and then answers `answers` messages in all.

    A measurement that starts during the silence and ends after the last answer must count exactly
    these answers.
    """

    answers: int
    received: list[str | bytes] = field(default_factory=list)
    extensions: set[str | None] = field(default_factory=set)
    port: int = 0

    async def handle(self, connection: ws6455.ServerConnection) -> None:
        assert connection.response is not None
        self.extensions.add(connection.response.headers.get("Sec-WebSocket-Extensions"))
        with contextlib.suppress(ws6455.ConnectionClosed):
            async for message in connection:
                if not self.received:
                    asyncio.get_running_loop().call_later(SILENCE, self.silence_ends.set)
                self.received.append(message)
                if self.answers > 0:
                    await self.silence_ends.wait()
                if self.answers > 0:
                    self.answers -= 1
                    await connection.send(message)

    @asynccontextmanager
    async def serving(self, **options: Any) -> AsyncIterator["Counting"]:
        self.silence_ends = asyncio.Event()
        async with ws6455.serve(self.handle, "127.0.0.1", 0, **options) as server:
            (listener,) = server.sockets
            self.port = listener.getsockname()[1]
            yield self
