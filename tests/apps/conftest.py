"""Fixtures for the apps: an app as a process, a terminal, a headless browser."""

import asyncio
import contextlib
import os
import signal
import sys
import termios
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

import ws6455
from apps.serving import Handler
from tests.terminals import DEADLINE, Terminal

ROOT = Path(__file__).parents[2]
LOCAL_MODES = 3  # index in the list of termios.tcgetattr


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve an app's handler in this process and yield the address."""
    async with ws6455.serve(handler, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


class AppProcess:
    """A running ``python -m apps.NAME ...`` with its output line by line."""

    def __init__(self, process: asyncio.subprocess.Process, directory: Path) -> None:
        self.process = process
        self.directory = directory  # the working directory

    async def line(self) -> str:
        """Return the next line of standard output without its ending; "" at end of file."""
        assert self.process.stdout is not None
        async with asyncio.timeout(10):
            return (await self.process.stdout.readline()).decode().removesuffix("\n")

    async def started(self) -> str:
        """Return the address in the first line of a server."""
        first = await self.line()
        start = "Server started on "
        if not first.startswith(start):
            pytest.fail(f"{first!r} and then {await self.rest()}")
        return first.removeprefix(start)

    async def type(self, text: str) -> None:
        """Pipe `text` into standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        await self.process.stdin.drain()

    async def rest(self, typed: str = "") -> tuple[str, str]:
        """Pipe `typed` in, close the input, wait for the exit and return both outputs."""
        async with asyncio.timeout(10):
            out, err = await self.process.communicate(typed.encode())
        return out.decode(), err.decode()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Send the signal `number`; return exit status, rest of the output, standard error."""
        self.process.send_signal(number)
        out, err = await self.rest()
        assert self.process.returncode is not None
        return self.process.returncode, out, err


class StartApp(Protocol):
    """Function that starts ``python -m apps.APP ARGUMENTS``.

    `launcher` replaces ``-m apps.APP``.
    """

    async def __call__(
        self,
        app: str,
        *arguments: str,
        env: dict[str, str] | None = None,
        launcher: tuple[str, ...] | None = None,
    ) -> AppProcess: ...


def app_environment() -> dict[str, str]:
    """Return an environment that can import the apps and has none of their variables."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PORT", "DEBUG")}
    paths = (str(ROOT), environment.get("PYTHONPATH"))
    return environment | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture
async def start_app(tmp_path: Path) -> AsyncIterator[StartApp]:
    """Start apps in an empty directory with piped input; kill them after the test."""
    started: list[asyncio.subprocess.Process] = []

    async def start(
        app: str,
        *arguments: str,
        env: dict[str, str] | None = None,
        launcher: tuple[str, ...] | None = None,
    ) -> AppProcess:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(launcher or ("-m", f"apps.{app}")),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=tmp_path,
            env=app_environment() | (env or {}),
        )
        started.append(process)
        return AppProcess(process, tmp_path)

    yield start
    for process in started:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.communicate()


class TerminalProcess(Terminal):
    """An app that runs in a terminal of its own."""

    def __init__(self, app: str, *arguments: str, directory: Path) -> None:
        super().__init__(
            "-m", f"apps.{app}", *arguments, directory=directory, environment=app_environment()
        )

    def wait_for_key_mode(self) -> None:
        """Wait until the app reads single keys: the terminal no longer echoes them."""
        deadline = time.monotonic() + DEADLINE
        while self.settings()[LOCAL_MODES] & termios.ECHO:
            if time.monotonic() > deadline:
                pytest.fail("the terminal still echoes its input")
            time.sleep(0.005)  # there is no event for a change of the terminal's settings


StartInTerminal = Callable[..., TerminalProcess]


@pytest.fixture
def start_in_terminal(tmp_path: Path) -> Iterator[StartInTerminal]:
    """Return a function ``start_in_terminal("greeter", "client", url)`` -> `TerminalProcess`."""
    with contextlib.ExitStack() as stack:

        def start(app: str, *arguments: str) -> TerminalProcess:
            started = TerminalProcess(app, *arguments, directory=tmp_path)
            stack.callback(started.close)
            return started

        yield start


@pytest.fixture
def browser(program: Callable[[str, str], str], tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """Return a headless Chromium with a fresh profile."""
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
        f"--user-data-dir={tmp_path / 'chromium'}",
    ):
        options.add_argument(flag)
    service = Service(program("chromedriver", "chromium-driver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()
