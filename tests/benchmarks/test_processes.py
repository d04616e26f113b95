"""Programs never outlive their block; their output and resource usage are read."""

import os
import time
from pathlib import Path

import pytest

from benchmarks import processes
from benchmarks.processes import ProgramFailed, running

# Ends at the end of its input, as the programs under test do.
OBEDIENT = "import sys; print(4711, flush=True); sys.stdin.read()"
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(4711, flush=True)
time.sleep(600)
"""


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_program_ends_with_its_input() -> None:
    with running("-c", OBEDIENT, core=None) as program:
        assert program.port() == 4711
    assert program.process.returncode == 0
    assert gone(program.process.pid)


def test_a_program_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.1)
    with running("-c", STUBBORN, core=None) as program:
        program.port()
    assert program.process.returncode == -9


def test_an_error_in_the_block_ends_the_program() -> None:
    block = running("-c", OBEDIENT, core=None)
    program = block.__enter__()
    program.port()
    error = KeyboardInterrupt()
    assert not block.__exit__(KeyboardInterrupt, error, None)
    assert gone(program.process.pid)


def test_a_program_is_pinned() -> None:
    core = max(os.sched_getaffinity(0))
    with running("-c", OBEDIENT, core=core) as program:
        program.port()
        assert os.sched_getaffinity(program.process.pid) == {core}


def test_a_program_that_ends_early_fails_with_its_last_words() -> None:
    code = "import sys; print('listening', file=sys.stderr); sys.exit('no such loop')"
    with (
        running("-c", code, core=None) as program,
        pytest.raises(ProgramFailed, match=r"^ended with status 1: no such loop$"),
    ):
        program.port()


def test_a_program_that_says_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "TIMEOUT", 0.2)
    with (
        running("-c", "import sys; sys.stdin.read()", core=None) as program,
        pytest.raises(ProgramFailed, match=r"^silent for 0\.2 s$"),
    ):
        program.port()


def test_cpu_time_is_what_was_computed() -> None:
    code = f"import time\nwhile time.process_time() < 0.3: pass\n{OBEDIENT}"
    with running("-c", code, core=None) as program:
        program.port()
        used = program.cpu_seconds()
        time.sleep(0.1)
        assert 0.25 < used < 2
        assert program.cpu_seconds() - used < 0.1


def test_private_memory_is_what_was_taken() -> None:
    taken = 32 << 20
    code = f"import sys; print(1, flush=True); input(); data = b'x' * {taken}; {OBEDIENT}"
    with running("-c", code, core=None) as program:
        program.port()
        before = program.private_bytes()
        assert program.process.stdin is not None
        program.process.stdin.write(b"\n")
        program.process.stdin.flush()
        program.port()
        assert taken <= program.private_bytes() - before < 1.5 * taken


@pytest.mark.parametrize("quantity", ["cpu_seconds", "private_bytes"])
def test_a_program_that_has_ended_has_no_figures(quantity: str) -> None:
    with running("-c", "", core=None) as program:
        program.process.wait()
        with pytest.raises(ProgramFailed, match="ended with status 0"):
            getattr(program, quantity)()
