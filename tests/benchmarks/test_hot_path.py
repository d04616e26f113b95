"""benchmarks.hot_path: counts are right, do not vary, and are compared with the baseline."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import hot_path
from benchmarks.hot_path import Count, count
from benchmarks.scenarios import ROUNDS, SCENARIOS, WARM_UP, Scenario

ROOT = Path(__file__).parent.parent.parent
NAMES = [scenario.name for scenario in SCENARIOS]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

# Runs the command with a library whose `send` does superfluous work.
SLOWED = """
import sys
from ws6455.protocol.protocol import Protocol
send_message = Protocol.send_message
def slow(self, opcode, data, *rest):
    sum(byte & 1 for byte in data[:64])
    return send_message(self, opcode, data, *rest)
Protocol.send_message = slow
from benchmarks.hot_path import main
sys.exit(main())
"""


def run(*arguments: str, code: str = "", seed: str = "0") -> tuple[int, str, str]:
    """Run the command, or code that calls it, in a new process."""
    program = ["-c", code] if code else ["-m", "benchmarks.hot_path"]
    done = subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a baseline written by `--update` for the unchanged library."""
    baseline = tmp_path_factory.mktemp("hot_path") / "baseline.json"
    baseline.write_text(json.dumps({"2.7": {"kept": {"instructions": 1, "calls": 2}}}))
    status, out, err = run("--update", "--baseline", str(baseline))
    assert status == 0, err
    assert f"Baseline of Python {PYTHON} written to {baseline}" in out
    return baseline


def changed(baseline: Path, folder: Path, change: Callable[[float], float]) -> Path:
    """Write a copy of a baseline with changed figures."""
    pythons = json.loads(baseline.read_text())
    for figures in pythons[PYTHON].values():
        for what in figures:
            figures[what] = round(change(figures[what]))
    other = folder / "changed.json"
    other.write_text(json.dumps(pythons))
    return other


def test_update_writes_every_scenario_and_keeps_other_pythons(measured: Path) -> None:
    pythons = json.loads(measured.read_text())
    assert pythons["2.7"] == {"kept": {"instructions": 1, "calls": 2}}
    assert sorted(pythons[PYTHON]) == sorted(NAMES)
    for figures in pythons[PYTHON].values():
        assert figures["instructions"] > figures["calls"] > 0


@pytest.mark.parametrize("seed", ["1", "4711"])
def test_the_figures_are_the_same_in_every_run(measured: Path, seed: str) -> None:
    status, out, err = run("--baseline", str(measured), seed=seed)
    assert status == 0, err
    lines = out.splitlines()[2:]
    assert len(lines) == len(NAMES)
    for line in lines:
        assert line.count("+0.0%") == 2, line


def test_a_slower_library_is_caught_and_named(measured: Path) -> None:
    status, out, err = run("--baseline", str(measured), code=SLOWED)
    assert status == 1, err
    assert "server: echo 64 B binary: instructions +" in out
    assert "client: send and recv 64 B: instructions +" in out
    assert "% above the baseline" in out
    assert "opening handshake: instructions" not in out


@pytest.mark.parametrize(
    ("factor", "status", "said"),
    [
        (0.88, 1, "more than 10% above the baseline"),
        (0.95, 0, None),
        (1.05, 0, None),
        (1.15, 0, "--update makes this the baseline"),
    ],
)
def test_ten_per_cent_is_the_bound(
    measured: Path, tmp_path: Path, factor: float, status: int, said: str | None
) -> None:
    baseline = changed(measured, tmp_path, lambda figure: figure * 100 * factor)
    counts = {
        name: Count(figures["instructions"] * 100, figures["calls"] * 100)
        for name, figures in json.loads(measured.read_text())[PYTHON].items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hot_path, "count", lambda scenario: counts[scenario.name])
        printed: list[str] = []
        patch.setattr("builtins.print", lambda *line, **_: printed.append(" ".join(line)))
        assert hot_path.main(["--baseline", str(baseline)]) == status
    verdicts = printed[1:]
    assert len(verdicts) == (2 * len(NAMES) if said else 0)
    assert all(said is not None and line.endswith(said) for line in verdicts)


def test_a_python_without_a_baseline_ends_with_status_2(tmp_path: Path) -> None:
    status, out, err = run("--baseline", str(tmp_path / "none.json"))
    assert status == 2
    assert err == f"Python {PYTHON} has no baseline for any scenario: --update makes it\n"
    assert NAMES[0] in out


def test_a_scenario_without_a_baseline_ends_with_status_2(measured: Path, tmp_path: Path) -> None:
    pythons = json.loads(measured.read_text())
    del pythons[PYTHON][NAMES[3]]
    baseline = tmp_path / "one-less.json"
    baseline.write_text(json.dumps(pythons))
    status, _, err = run("--baseline", str(baseline))
    assert status == 2
    assert err == f"Python {PYTHON} has no baseline for {NAMES[3]}: --update makes it\n"


def test_wrong_usage_ends_with_status_2() -> None:
    status, out, err = run("--frobnicate")
    assert status == 2
    assert out == ""
    assert "unrecognized arguments: --frobnicate" in err


def test_the_baseline_in_the_repository_is_whole() -> None:
    pythons = json.loads(hot_path.BASELINE.read_text())
    assert pythons
    for python, scenarios in pythons.items():
        assert sorted(scenarios) == sorted(NAMES), python


def straight(statements: int) -> Callable[[], None]:
    """Return a function that consists of `count` assignments."""
    names: dict[str, Callable[[], None]] = {}
    exec("def work():\n" + "    x = None\n" * statements, {"__name__": "somewhere"}, names)
    return names["work"]


def playing(work: Callable[[], object]) -> Scenario:
    async def play(end: Callable[[], object]) -> None:
        for _ in range(WARM_UP + ROUNDS + 1):
            work()
            end()

    return Scenario("made up", play)


def test_an_instruction_counts_once() -> None:
    short, long = count(playing(straight(10))), count(playing(straight(35)))
    assert long.instructions - short.instructions == 25 * 2  # a load and a store each
    assert long.calls == short.calls


def test_calls_of_python_and_of_c_count() -> None:
    nothing = count(playing(straight(1)))
    inner = straight(1)
    assert count(playing(lambda: inner())).calls == nothing.calls + 1
    assert count(playing(lambda: len(()))).calls == nothing.calls + 1


def test_a_tracer_that_was_there_is_there_afterwards() -> None:
    before = sys.gettrace(), sys.getprofile()
    count(playing(straight(1)))
    assert (sys.gettrace(), sys.getprofile()) == before


def test_a_connection_that_does_not_answer_rightly_fails_the_scenario() -> None:
    async def refuse(connection: object) -> None:
        raise ValueError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmarks.scenarios._echo", refuse)
        with pytest.raises(RuntimeError, match="sent a frame that begins with 0x88"):
            count(SCENARIOS[0])
