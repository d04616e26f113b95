"""Fixtures to run the command line as a process with pipes, or in a terminal."""

import asyncio
import contextlib
import datetime
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import ws6455
from tests.terminals import DEADLINE, Terminal

ROOT = Path(__file__).parents[2]
#: Runs the command line as if neither prompt_toolkit nor rich were installed.
BARE = (
    "import sys\n"
    "sys.modules['prompt_toolkit'] = sys.modules['rich'] = None\n"
    "from ws6455.__main__ import main\n"
    "sys.exit(main())\n"
)


def environment() -> dict[str, str]:
    """Return an environment without variables that affect the command line."""
    unwanted = ("PYTHONWARNINGS", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return kept | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}


class Command:
    """A started ``python -m ws6455``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        """Return the next line of standard output, without its line ending."""
        assert self.process.stdout is not None
        return await self._line(self.process.stdout)

    async def error_line(self) -> str:
        """Return the next line of standard error, without its line ending."""
        assert self.process.stderr is not None
        return await self._line(self.process.stderr)

    async def _line(self, stream: asyncio.StreamReader) -> str:
        async with asyncio.timeout(DEADLINE):
            line = await stream.readline()
        if not line:
            pytest.fail(f"it has ended: {await self.rest()}")
        return line.decode().removesuffix("\n")

    async def address(self) -> str:
        """Return the address in a server's first line of output."""
        line = await self.line()
        assert line.startswith("listening on ")
        return line.removeprefix("listening on ")

    async def type(self, data: bytes) -> None:
        """Pipe bytes into standard input, which stays open."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        await self.process.stdin.drain()

    async def rest(self, data: bytes = b"") -> tuple[int, bytes, str]:
        """Pipe bytes in, end the input, wait for the end; return status, output and errors."""
        async with asyncio.timeout(DEADLINE):
            out, err = await self.process.communicate(data)
        assert self.process.returncode is not None
        return self.process.returncode, out, err.decode()

    def stop_reading(self, stream: int) -> None:
        """Close this end of the pipe from standard output (1) or standard error (2)."""
        # asyncio has no public access to a single pipe of a process.
        self.process._transport.get_pipe_transport(stream).close()  # type: ignore[attr-defined]

    async def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal, with the input still open; return status and errors."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.send_signal(number)
        async with asyncio.timeout(DEADLINE):
            _, err, status = await asyncio.gather(
                self.process.stdout.read(), self.process.stderr.read(), self.process.wait()
            )
        return status, err.decode()


class Start(Protocol):
    """Starts ``python -m ws6455 ARGUMENTS`` in `tmp_path`."""

    async def __call__(
        self, *arguments: str, launcher: tuple[str, ...] = ("-m", "ws6455")
    ) -> Command: ...


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """A function that starts commands; those still running at the end are killed."""
    processes: list[asyncio.subprocess.Process] = []

    async def start(*arguments: str, launcher: tuple[str, ...] = ("-m", "ws6455")) -> Command:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *launcher,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=tmp_path,
            env=environment(),
            limit=1 << 24,
        )
        processes.append(process)
        return Command(process)

    yield start
    for process in processes:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.communicate()


StartInTerminal = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[StartInTerminal]:
    """A function that starts a command in a terminal, for example ``terminal("-m", "ws6455")``."""
    with contextlib.ExitStack() as stack:

        def start(*command: str) -> Terminal:
            started = Terminal(*command, directory=tmp_path, environment=environment())
            stack.callback(started.close)
            return started

        yield start


async def echo(connection: ws6455.ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


def echo_and_close(count: int) -> Callable[[ws6455.ServerConnection], Awaitable[None]]:
    """Return a handler that echoes `count` Text messages or Binary bytes, then closes."""

    async def handler(connection: ws6455.ServerConnection) -> None:
        echoed = 0
        while echoed < count:
            message = await connection.recv()
            echoed += 1 if isinstance(message, str) else len(message)
            await connection.send(message)

    return handler


@contextlib.asynccontextmanager
async def serving(
    handler: Callable[[ws6455.ServerConnection], Awaitable[None]] = echo, **options: Any
) -> AsyncIterator[str]:
    """Serve in this process, and yield the URI."""
    async with ws6455.serve(handler, "127.0.0.1", 0, **options) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """The path of a self-signed certificate for localhost with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return str(path)
