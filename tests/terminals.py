"""A program in its own pseudo-terminal, for tests that type and read."""

import codecs
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Terminal"]

DEADLINE = 20  # seconds for every wait on a program


class Terminal:
    """A running ``python ...`` whose standard streams are a terminal.

    Args:
        arguments: arguments of Python.
        directory: working directory.
        environment: environment variables.
    """

    def __init__(self, *arguments: str, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.master, self.terminal = pty.openpty()
        self.settings_before = self.settings()
        self._shown = ""  # output that no method has returned yet
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.process = subprocess.Popen(
            (sys.executable, *arguments),
            stdin=self.terminal,
            stdout=self.terminal,
            stderr=self.terminal,
            cwd=directory,
            env=environment,
            start_new_session=True,
        )

    def settings(self) -> list[Any]:
        """Return the terminal's settings."""
        return termios.tcgetattr(self.terminal)

    def type(self, text: str) -> None:
        """Type `text`; a surrogate stands for a byte that is not UTF-8."""
        os.write(self.master, text.encode(errors="surrogateescape"))

    def read_until(self, end: str) -> str:
        """Return the terminal's further output up to and including `end`."""
        deadline = time.monotonic() + DEADLINE
        while end not in self._shown:
            if not self._read(max(0, deadline - time.monotonic())):
                pytest.fail(f"no {end!r} in {self._shown!r}")
        before, found, self._shown = self._shown.partition(end)
        return before + found

    def rest(self) -> str:
        """Wait for the program's exit and return the rest of its output."""
        self.process.wait(DEADLINE)
        while self._read(0):
            pass
        shown, self._shown = self._shown, ""
        return shown

    def _read(self, timeout: float) -> bool:
        """Wait for output, at most `timeout` seconds; return whether any was read."""
        if not select.select([self.master], [], [], timeout)[0]:
            return False
        self._shown += self._decode(os.read(self.master, 4096))
        return True

    def close(self) -> None:
        """Kill the program if it still runs, and close the terminal."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.terminal)
