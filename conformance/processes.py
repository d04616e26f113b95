"""Child processes that never outlive the run."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

# Seconds between SIGTERM and SIGKILL.
GRACE = 5.0

# The longest line read from a process, in bytes: wstest prints all its cases on one line.
LINE_LIMIT = 1 << 20


@asynccontextmanager
async def running(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
    cwd: Path | None = None,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``argv`` for the duration of the block.

    The process and its children are always killed at the end of the block. ``stdout`` and
    ``stderr`` are a file or a constant of ``asyncio.subprocess``.

    Raises:
        OSError: ``argv`` cannot be started.

    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=env,
        cwd=cwd,
        stdin=DEVNULL,
        stdout=stdout,
        stderr=stderr,
        limit=LINE_LIMIT,
        start_new_session=True,  # Ctrl-C must reach the parent only, which then ends the child.
    )
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Terminate the process and its children; kill those that do not exit in time."""
    try:
        if process.returncode is None:
            _signal_group(process, signal.SIGTERM)
            await _exited(process)
    finally:
        _signal_group(process, signal.SIGKILL)
        await _exited(process)


async def _exited(process: asyncio.subprocess.Process) -> None:
    """Wait for the exit, at most ``GRACE``; drain the pipe, since a full one blocks the exit."""
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE):
            while process.stdout is not None and await process.stdout.read(LINE_LIMIT):
                pass
            await process.wait()


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


async def run(argv: Sequence[str], env: Mapping[str, str], log: Path, timeout: float) -> int | None:
    """Run ``argv`` for at most ``timeout`` seconds and append its output to ``log``.

    Returns:
        The exit status; None if it could not be started or did not end in time.

    """
    try:
        with log.open("ab") as file:
            async with (
                asyncio.timeout(timeout),
                running(argv, env, stdout=file, stderr=STDOUT) as process,
            ):
                return await process.wait()
    except (OSError, TimeoutError):
        return None


def last_line(log: Path) -> str:
    """Return the last line of ``log`` that is not blank, or ``"none"``."""
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "none")
