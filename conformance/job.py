"""One job: wstest against one of our echo ends, each in a process of its own.

In the server role wstest is a fuzzing client that ends when it has run its cases; in the client
role it is a fuzzing server, and our echo client ends. Either way the end of that one, the driver,
is the end of the job; the other has to outlive it.
"""

import asyncio
import json
import os
import re
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from .processes import last_line, running
from .report import AGENT
from .wstest import Wstest

# Seconds without a word from wstest after which a job is given up. It says a word for each case;
# the slowest takes 15 s alone on a core, and took 95 s on a busy machine.
PATIENCE = 300.0

ROOT = Path(__file__).parent.parent
_CASE_BEGINS = re.compile(rb"Running test case ID (\S+) ")


class JobFailed(Exception):
    """A job ended early; the text says how, and which process is to blame."""


@dataclass(frozen=True)
class Job:
    """A share of the cases of one role.

    ``role`` names the end of ours that is tested, ``"server"`` or ``"client"``. What is written
    goes into ``folder``, which is made. ``begin`` is called with the role and the case whenever a
    case begins. The job is given up after ``patience`` seconds of silence.
    """

    role: str
    cases: Sequence[str]
    folder: Path
    wstest: Wstest
    begin: Callable[[str, str], None]
    patience: float = PATIENCE

    @property
    def results(self) -> Path:
        """The folder into which wstest writes its reports."""
        return self.folder / "results"

    async def run(self) -> None:
        """Run the cases.

        Raises:
            JobFailed: a process could not be started, ended early or was silent for too long.

        """
        self.folder.mkdir(parents=True)
        try:
            await {"server": _test_server, "client": _test_client}[self.role](self)
        except OSError as error:
            raise JobFailed(f"a process could not be started: {error}") from error


@dataclass(frozen=True)
class _Part:
    """A running process with what a message needs to speak of it."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    def ended(self) -> JobFailed:
        """Tell of an end that should not have come yet, or not like this."""
        return JobFailed(f"{self.name} ended with status {self.process.returncode}; {self._said()}")

    def silent(self, patience: float) -> JobFailed:
        """Tell of a silence of ``patience`` seconds."""
        return JobFailed(f"{self.name} was silent for {patience:g} s; {self._said()}")

    def _said(self) -> str:
        return f"its last words: {last_line(self.log)} (see {self.log})"


async def _test_server(job: Job) -> None:
    async with _echo(job, "echo_server") as server:
        port = await _port(job, server)
        spec = {"servers": [{"agent": AGENT, "url": f"ws://127.0.0.1:{port}"}]}
        async with _wstest(job, "fuzzingclient", spec) as (tester, following):
            await _drive(tester, tester, following, server)


async def _test_client(job: Job) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    url = f"ws://127.0.0.1:{port}"
    async with _wstest(job, "fuzzingserver", {"url": url}) as (tester, following):
        await _accepts(tester, following, port)
        async with _echo(job, "echo_client", url, AGENT) as client:
            await _drive(client, tester, following, client)


@asynccontextmanager
async def _echo(job: Job, module: str, *arguments: str) -> AsyncIterator[_Part]:
    argv = [sys.executable, "-m", f"conformance.{module}", *arguments]
    log = job.folder / f"{module}.log"
    with log.open("wb") as file:
        async with running(argv, os.environ, stdout=PIPE, stderr=file, cwd=ROOT) as process:
            yield _Part(module, process, log)


@asynccontextmanager
async def _wstest(
    job: Job, mode: str, spec: Mapping[str, object]
) -> AsyncIterator[tuple[_Part, asyncio.Task[None]]]:
    """Run wstest, with the task that follows what it says and ends when it does."""
    spec = {**spec, "cases": list(job.cases), "exclude-cases": [], "exclude-agent-cases": {}}
    file = job.folder / "spec.json"
    file.write_text(json.dumps({**spec, "outdir": str(job.results)}))
    argv = [*job.wstest.argv, "--mode", mode, "--spec", str(file), "--webport", "0"]
    async with running(argv, job.wstest.env, stdout=PIPE, stderr=STDOUT) as process:
        tester = _Part("wstest", process, job.folder / "wstest.log")
        following = asyncio.create_task(_follow(job, tester))
        try:
            yield tester, following
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def _follow(job: Job, tester: _Part) -> None:
    """Report each case that wstest begins, and copy what it says to its log, until it ends."""
    assert tester.process.stdout is not None
    try:
        with tester.log.open("wb", buffering=0) as log:
            while line := await asyncio.wait_for(tester.process.stdout.readline(), job.patience):
                log.write(line)
                if begins := _CASE_BEGINS.match(line):
                    job.begin(job.role, begins[1].decode())
        await asyncio.wait_for(tester.process.wait(), job.patience)
    except TimeoutError:
        raise tester.silent(job.patience) from None


async def _port(job: Job, server: _Part) -> int:
    """Read the port on which our echo server listens."""
    assert server.process.stdout is not None
    try:
        async with asyncio.timeout(job.patience):
            line = await server.process.stdout.readline()
            if not line:
                await server.process.wait()
                raise server.ended()
    except TimeoutError:
        raise server.silent(job.patience) from None
    return int(line)


async def _accepts(tester: _Part, following: asyncio.Task[None], port: int) -> None:
    """Wait until the fuzzing server accepts connections; it says nothing when it does."""
    while not following.done():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    following.result()
    raise tester.ended()


async def _drive(driver: _Part, tester: _Part, following: asyncio.Task[None], echo: _Part) -> None:
    """Wait for the end of ``driver``, which has to come first and to be a success."""
    echoing = asyncio.create_task(echo.process.wait())
    try:
        await asyncio.wait({following, echoing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        echoing.cancel()
        await asyncio.wait([echoing])
    if following.done():
        following.result()
    ended = tester if following.done() else echo
    if ended is not driver or driver.process.returncode != 0:
        raise ended.ended()
