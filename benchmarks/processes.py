"""The programs under test as processes: pinned to a core, watched, and never left behind."""

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

# A program that is asked to end gets this long, in seconds, before it is killed.
GRACE = 5.0

# Seconds within which a server has to listen, and a client to end after its time.
PATIENCE = 30.0

_ROOT = Path(__file__).parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")


class ProgramFailed(Exception):
    """A program under test ended early or did not do its part; the text says how."""


@dataclass(frozen=True)
class Program:
    """A running program under test."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def cpu_seconds(self) -> float:
        """Give the CPU time it has used, in all its threads.

        Raises:
            ProgramFailed: it has ended.
        """
        if self.process.poll() is not None:
            self._fail()
        return cpu_seconds(self.process.pid)

    def private_bytes(self) -> int:
        """Give the memory that is its alone, in bytes.

        Raises:
            ProgramFailed: it has ended.
        """
        if self.process.poll() is not None:
            self._fail()
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        lines = [line.split() for line in rollup.splitlines()]
        kibibytes = [int(line[1]) for line in lines if line[0].startswith("Private_")]
        return 1024 * sum(kibibytes)

    def port(self) -> int:
        """Read the port on which it listens, the first line it prints.

        Raises:
            ProgramFailed: it ended, or said nothing in ``PATIENCE`` seconds, or no number.
        """
        line = self.output(PATIENCE, b"\n")
        if not line.strip().isdigit():
            self._fail()
        return int(line)

    def output(self, seconds: float, until: bytes | None = None) -> bytes:
        """Read what it prints, to its end or up to and with ``until``.

        Raises:
            ProgramFailed: that took longer than ``seconds``.
        """
        assert self.process.stdout is not None
        deadline = time.monotonic() + seconds
        data = b""
        while until is None or until not in data:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self.process.stdout], [], [], left)[0]:
                raise ProgramFailed(f"silent for {seconds:g} s{self.last_words()}")
            chunk = os.read(self.process.stdout.fileno(), 1 << 16)
            if not chunk:
                break
            data += chunk
        return data

    def last_words(self) -> str:
        """Give the last line it wrote on standard error, to be put after what is said of it."""
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {last}" if last else ""

    def _fail(self) -> NoReturn:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE)
        status = self.process.returncode
        how = "said nothing useful" if status is None else f"ended with status {status}"
        raise ProgramFailed(how + self.last_words())


@contextmanager
def running(*arguments: str, core: int | None) -> Iterator[Program]:
    """Run Python with these arguments on a core, or on any, for the length of the block."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the rest.
        )
        try:
            if core is not None:
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(process.pid, {core})
            yield Program(process, log)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the program to end by the end of its input, then kill what is left of it."""
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
    """Give the CPU time that a process has used, in user and in kernel mode."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    # The name, in brackets, may itself hold blanks and brackets.
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
