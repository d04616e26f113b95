"""A program in a terminal of its own, as a test types into it and reads it."""

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

DEADLINE = 20  # seconds for anything that a program is waited for


class Terminal:
    """A started ``python ...`` whose standard streams are a terminal.

    Args:
        arguments: of Python.
        directory: where it runs.
        environment: its environment variables.
    """

    def __init__(self, *arguments: str, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.master, self.terminal = pty.openpty()
        self.settings_before = self.settings()
        self._shown = ""  # and not yet given
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
        """Give the terminal's settings."""
        return termios.tcgetattr(self.terminal)

    def type(self, text: str) -> None:
        """Press keys; a surrogate stands for a byte that is no character."""
        os.write(self.master, text.encode(errors="surrogateescape"))

    def read_until(self, end: str) -> str:
        """Give what the terminal shows from here on until it shows `end`."""
        deadline = time.monotonic() + DEADLINE
        while end not in self._shown:
            if not self._read(max(0, deadline - time.monotonic())):
                pytest.fail(f"no {end!r} in {self._shown!r}")
        before, found, self._shown = self._shown.partition(end)
        return before + found

    def rest(self) -> str:
        """Wait for the program's end and give what else the terminal shows."""
        self.process.wait(DEADLINE)
        while self._read(0):
            pass
        shown, self._shown = self._shown, ""
        return shown

    def _read(self, patience: float) -> bool:
        """Wait so many seconds for something to be shown; return whether anything was."""
        if not select.select([self.master], [], [], patience)[0]:
            return False
        self._shown += self._decode(os.read(self.master, 4096))
        return True

    def close(self) -> None:
        """End the program if it still runs, and the terminal."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.terminal)
