"""A job: wstest against our echo server or echo client, each in its own process.

The process that acts as the client drives the job: wstest as the fuzzing client in the server
role, our echo client in the client role. The job ends when the driver exits. The other process
must outlive it.
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

# A job fails after this many seconds without output from wstest, which prints a line for each
# case. The slowest case takes 15 s alone on a core, and took 95 s on a busy machine.
SILENCE_TIMEOUT = 300.0

ROOT = Path(__file__).parent.parent
_CASE_STARTED = re.compile(rb"Running test case ID (\S+) ")


class JobFailed(Exception):
    """A job ended early; the text names the process that failed and the reason."""


@dataclass(frozen=True)
class Job:
    """A share of the cases of one role.

    ``role`` is the role of the library under test, ``"server"`` or ``"client"``. All files are
    written to ``folder``, which is created. ``begin`` is called with the role and the case at the
    start of each case. The job fails after ``silence_timeout`` seconds without output.
    """

    role: str
    cases: Sequence[str]
    folder: Path
    wstest: Wstest
    begin: Callable[[str, str], None]
    silence_timeout: float = SILENCE_TIMEOUT

    @property
    def results(self) -> Path:
        """The folder of the reports that wstest writes."""
        return self.folder / "results"

    async def run(self) -> None:
        """Run the cases.

        Raises:
            JobFailed: a process could not be started, ended early or was silent too long.

        """
        self.folder.mkdir(parents=True)
        try:
            await {"server": _test_server, "client": _test_client}[self.role](self)
        except OSError as error:
            raise JobFailed(f"a process could not be started: {error}") from error


@dataclass(frozen=True)
class _Process:
    """A running process with its name and its log for error messages."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    def exit_error(self) -> JobFailed:
        """Return the error for an early or unsuccessful exit."""
        status = self.process.returncode
        return JobFailed(f"{self.name} ended with status {status}; {self._last_output()}")

    def silence_error(self, seconds: float) -> JobFailed:
        """Return the error for ``seconds`` without output."""
        return JobFailed(f"{self.name} was silent for {seconds:g} s; {self._last_output()}")

    def _last_output(self) -> str:
        return f"last output: {last_line(self.log)} (see {self.log})"


async def _test_server(job: Job) -> None:
    async with _run_echo(job, "echo_server") as server:
        port = await _port(job, server)
        spec = {"servers": [{"agent": AGENT, "url": f"ws://127.0.0.1:{port}"}]}
        async with _run_wstest(job, "fuzzingclient", spec) as (tester, following):
            await _wait_for_driver(tester, tester, following, server)


async def _test_client(job: Job) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    url = f"ws://127.0.0.1:{port}"
    async with _run_wstest(job, "fuzzingserver", {"url": url}) as (tester, following):
        await _wait_until_listening(tester, following, port)
        async with _run_echo(job, "echo_client", url, AGENT) as client:
            await _wait_for_driver(client, tester, following, client)


@asynccontextmanager
async def _run_echo(job: Job, module: str, *arguments: str) -> AsyncIterator[_Process]:
    argv = [sys.executable, "-m", f"conformance.{module}", *arguments]
    log = job.folder / f"{module}.log"
    with log.open("wb") as file:
        async with running(argv, os.environ, stdout=PIPE, stderr=file, cwd=ROOT) as process:
            yield _Process(module, process, log)


@asynccontextmanager
async def _run_wstest(
    job: Job, mode: str, spec: Mapping[str, object]
) -> AsyncIterator[tuple[_Process, asyncio.Task[None]]]:
    """Run wstest, with a task that follows its output until it exits."""
    spec = {**spec, "cases": list(job.cases), "exclude-cases": [], "exclude-agent-cases": {}}
    file = job.folder / "spec.json"
    file.write_text(json.dumps({**spec, "outdir": str(job.results)}))
    argv = [*job.wstest.argv, "--mode", mode, "--spec", str(file), "--webport", "0"]
    async with running(argv, job.wstest.env, stdout=PIPE, stderr=STDOUT) as process:
        tester = _Process("wstest", process, job.folder / "wstest.log")
        following = asyncio.create_task(_follow_output(job, tester))
        try:
            yield tester, following
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def _follow_output(job: Job, tester: _Process) -> None:
    """Report the start of each case and copy the output to the log, until wstest exits."""
    assert tester.process.stdout is not None
    try:
        with tester.log.open("wb", buffering=0) as log:
            while line := await asyncio.wait_for(
                tester.process.stdout.readline(), job.silence_timeout
            ):
                log.write(line)
                if started := _CASE_STARTED.match(line):
                    job.begin(job.role, started[1].decode())
        await asyncio.wait_for(tester.process.wait(), job.silence_timeout)
    except TimeoutError:
        raise tester.silence_error(job.silence_timeout) from None


async def _port(job: Job, server: _Process) -> int:
    """Read the port of our echo server from its output."""
    assert server.process.stdout is not None
    try:
        async with asyncio.timeout(job.silence_timeout):
            line = await server.process.stdout.readline()
            if not line:
                await server.process.wait()
                raise server.exit_error()
    except TimeoutError:
        raise server.silence_error(job.silence_timeout) from None
    return int(line)


async def _wait_until_listening(tester: _Process, following: asyncio.Task[None], port: int) -> None:
    """Wait until the fuzzing server accepts connections; it prints nothing when it does."""
    while not following.done():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    following.result()
    raise tester.exit_error()


async def _wait_for_driver(
    driver: _Process, tester: _Process, following: asyncio.Task[None], echo: _Process
) -> None:
    """Wait for the exit of ``driver``, which must exit first and with status 0."""
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
        raise ended.exit_error()
