"""The programs under test as child processes: pinned to a core, measured, and always ended."""

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

# Seconds between the end of a program's input and SIGKILL.
GRACE = 5.0

# Seconds for a server to listen, and for a client to end after its measured time.
TIMEOUT = 30.0

_ROOT = Path(__file__).parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")


class ProgramFailed(Exception):
    """A program under test ended early or did not do its job; the text gives the reason."""


@dataclass(frozen=True)
class Program:
    """A running program under test."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def cpu_seconds(self) -> float:
        """Return the CPU time of all its threads in seconds.

        Raises:
            ProgramFailed: the program has ended.
        """
        if self.process.poll() is not None:
            self._fail()
        return cpu_seconds(self.process.pid)

    def private_bytes(self) -> int:
        """Return its private memory in bytes.

        Raises:
            ProgramFailed: the program has ended.
        """
        if self.process.poll() is not None:
            self._fail()
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        lines = [line.split() for line in rollup.splitlines()]
        kibibytes = [int(line[1]) for line in lines if line[0].startswith("Private_")]
        return 1024 * sum(kibibytes)

    def port(self) -> int:
        """Read its port, the first line of its output.

        Raises:
            ProgramFailed: the program ended, was silent for ``TIMEOUT`` seconds, or printed
                something else.
        """
        line = self.output(TIMEOUT, b"\n")
        if not line.strip().isdigit():
            self._fail()
        return int(line)

    def output(self, seconds: float, until: bytes | None = None) -> bytes:
        """Read its output to the end, or up to and including ``until``.

        Raises:
            ProgramFailed: that took longer than ``seconds``.
        """
        assert self.process.stdout is not None
        deadline = time.monotonic() + seconds
        data = b""
        while until is None or until not in data:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self.process.stdout], [], [], left)[0]:
                raise ProgramFailed(f"silent for {seconds:g} s{self.last_log_line()}")
            chunk = os.read(self.process.stdout.fileno(), 1 << 16)
            if not chunk:
                break
            data += chunk
        return data

    def last_log_line(self) -> str:
        """Return ``": "`` and the last line of its standard error, or ``""`` if it is empty."""
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {last}" if last else ""

    def _fail(self) -> NoReturn:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE)
        status = self.process.returncode
        reason = "printed no port" if status is None else f"ended with status {status}"
        raise ProgramFailed(reason + self.last_log_line())


@contextmanager
def running(*arguments: str, core: int | None) -> Iterator[Program]:
    """Run Python with `arguments` during the block, on a core if given."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C must reach the parent only, which ends the child.
        )
        try:
            if core is not None:
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(process.pid, {core})
            yield Program(process, log)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the program's input, wait for its exit, then kill what remains of it."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process in user and kernel mode, in seconds."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    # The name stands in brackets, and may itself contain blanks and brackets.
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
