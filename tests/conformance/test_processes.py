"""Child processes never outlive their block."""

import asyncio
import os
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance import processes
from conformance.processes import last_line, run, running

Script = Callable[[str, str], Path]

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""

# A process whose child inherits the pipe: the pipe's end shows that the child is gone.
PARENT = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(600)"])
"""


async def test_a_process_that_will_not_end_is_killed(
    monkeypatch: pytest.MonkeyPatch, script: Script
) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.1)
    path = script("stubborn", STUBBORN)
    async with running([str(path)], os.environ, stdout=PIPE, stderr=STDOUT) as process:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    assert process.returncode == -9


async def test_the_children_of_a_process_that_has_ended_are_killed(script: Script) -> None:
    path = script("parent", PARENT)
    async with running([str(path)], os.environ, stdout=PIPE, stderr=STDOUT) as process:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    assert process.stdout.at_eof()


async def test_a_process_that_cannot_write_any_more_still_ends(script: Script) -> None:
    path = script("talker", "while True: print('x' * 10_000)")
    async with (
        asyncio.timeout(processes.GRACE),
        running([str(path)], os.environ, stdout=PIPE, stderr=STDOUT) as process,
    ):
        assert process.stdout is not None
        await process.stdout.readexactly(10_000)
    assert process.returncode is not None


async def test_run_gives_the_status_and_keeps_the_output_in_order(
    script: Script, tmp_path: Path
) -> None:
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    log = tmp_path / "log"
    assert await run([str(script("program", code))], os.environ, log, timeout=10) == 3
    assert log.read_text() == "out\nerr\n"
    assert last_line(log) == "err"


async def test_run_gives_none_for_what_does_not_end_or_does_not_start(
    script: Script, tmp_path: Path
) -> None:
    sleeper = script("sleeper", "import time; time.sleep(600)")
    assert await run([str(sleeper)], os.environ, tmp_path / "log", timeout=0.2) is None
    assert await run([str(tmp_path / "no")], os.environ, tmp_path / "log", timeout=10) is None


def test_the_last_line_of_a_silent_log_says_so(tmp_path: Path) -> None:
    assert last_line(tmp_path / "absent") == "none"
