"""The command as a user runs it, with rounds of 0.1 s."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import __main__ as command_line
from benchmarks.rows import ROWS, select_peers, select_rows

ROOT = Path(__file__).parent.parent.parent
SHORT = ("--rounds", "2", "--seconds", "0.1")


def command(*arguments: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    with process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """Run the command line in this process for cases that end before the measurement."""
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    try:
        return command_line.main()
    except SystemExit as error:
        return error.code


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--rows", "sync-*"], "argument --rows: no row matches 'sync-*'"),
        (["--rows", "echo-*,"], "argument --rows: no row matches ''"),
        (
            ["--peers", "ws6455,ws"],
            "argument --peers: no peer is named 'ws'; the peers are ws6455, ",
        ),
        (["--rounds", "0"], "argument --rounds: at least 1"),
        (["--rounds", "some"], "argument --rounds: invalid int value: 'some'"),
        (["--seconds", "0"], "argument --seconds: from 0.1 to 60"),
        (["--seconds", "nan"], "argument --seconds: from 0.1 to 60"),
        (["--output", "/dev/null/results"], "argument --output: [Errno 20] Not a directory"),
        (["--rows", "client-*", "--peers", "raw"], "none of these peers takes part in any"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
    ],
)
def test_wrong_usage_ends_with_status_2(
    arguments: list[str],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended(monkeypatch, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert complaint in err


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that hides installed packages."""
    find = importlib.util.find_spec

    def hide(*packages: str) -> None:
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name in packages else find(name)
        )

    return hide


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    absent: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    absent("picows", "rich", "uvloop")
    assert ended(monkeypatch, "--rows", "echo-256B*") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "picows is not installed: the peer picows" in err
    assert "rich is not installed: the progress bar and the tables" in err
    assert "uvloop is not installed: the rows on uvloop" in err
    assert "aiohttp" not in err
    assert "pip install '.[bench,speed]'" in err
    assert "--peers" in err


def test_a_peer_that_is_left_out_may_be_missing(absent: Callable[..., None]) -> None:
    absent("picows", "numpy", "uvloop", "cryptography")
    rows, peers = select_rows(["echo-256B", "handshakes"]), select_peers(["ws6455", "aiohttp"])
    assert command_line.missing_modules(rows, peers) == {}
    assert set(command_line.missing_modules(select_rows(["*"]), peers)) == {
        "uvloop",
        "cryptography",
    }
    assert set(command_line.missing_modules(rows, select_peers(["picows"]))) == {"picows"}
    large = select_rows(["echo-8KiB"])
    assert set(command_line.missing_modules(large, select_peers(["ws6455+speed"]))) == {"numpy"}


def test_the_list_has_every_row_and_who_runs_in_it() -> None:
    status, out, err = outcome(command("--list"))
    assert status == 0, err
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert list(lines) == [row.name for row in ROWS]
    assert lines["echo-256B-deflate"] == "ws6455, websockets, aiohttp, wsproto, tornado"


@pytest.mark.usefixtures("compiler")
def test_a_run_shows_and_writes_what_it_measured(tmp_path: Path) -> None:
    arguments = ["--rows", "echo-256B,import", "--peers", "ws6455,websockets", *SHORT]
    status, out, err = outcome(command(*arguments, "--output", str(tmp_path / "new" / "folder")))
    assert status == 0, err
    assert "Rows: 2. Expected time: 0:0" in err
    assert "1/2" in err
    assert "ws6455 against" in out
    written = json.loads((tmp_path / "new/folder/results.json").read_text())
    assert [row["name"] for row in written["rows"]] == ["echo-256B", "import"]
    for row in written["rows"]:
        for peer in ("ws6455", "websockets"):
            assert len(row["peers"][peer]["samples"]) == 2
    assert written["options"]["rounds"] == 2
    assert "## Targets" in (tmp_path / "new/folder/results.md").read_text()
    assert (tmp_path / "new/folder/results.svg").exists()


@pytest.mark.usefixtures("compiler")
def test_a_part_of_the_rows_does_not_take_the_place_of_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command_line, "DEFAULT_OUTPUT", tmp_path)
    parse = command_line.parse
    assert parse([]).output == tmp_path
    assert parse(["--quick"]).output is None
    assert parse(["--rows", "echo-*"]).output is None
    assert parse(["--peers", "ws6455,picows"]).output is None
    assert parse(["--quick", "--output", str(tmp_path / "quick")]).output == tmp_path / "quick"


def test_a_quick_run_yields_to_what_is_said() -> None:
    quick = command_line.parse(["--quick", "--rounds", "7", "--rows", "idle"])
    assert (quick.rounds, quick.seconds) == (7, command_line.QUICK_SECONDS)
    assert [row.name for row in quick.rows] == ["idle"]


@pytest.mark.usefixtures("compiler")
def test_one_core_is_shared_and_that_is_said() -> None:
    assert command_line.choose_cores([3])[:2] == (None, None)
    assert "share one core" in command_line.choose_cores([3])[2]
    assert command_line.choose_cores([5, 2, 4])[:2] == (2, 5)


@pytest.mark.usefixtures("compiler")
def test_a_program_that_fails_is_named_and_the_others_are_measured(tmp_path: Path) -> None:
    (tmp_path / "picows.py").write_text("raise ImportError('made to fail')\n")
    arguments = ["--rows", "echo-256B", "--peers", "ws6455,picows", *SHORT]
    arguments += ["--output", str(tmp_path / "out")]
    status, out, err = outcome(command(*arguments, PYTHONPATH=str(tmp_path)))
    assert status == 1, err
    reason = "ended with status 1: ImportError: made to fail"
    assert f"Failed: echo-256B: picows: {reason}" in " ".join(out.split())
    (row,) = json.loads((tmp_path / "out/results.json").read_text())["rows"]
    assert row["peers"]["picows"]["failure"] == reason
    assert row["peers"]["picows"]["median"] is None
    assert row["peers"]["ws6455"]["median"] > 0


def test_without_a_compiler_that_is_said(tmp_path: Path) -> None:
    arguments = ["--rows", "echo-256B", "--peers", "ws6455", *SHORT]
    status, out, err = outcome(command(*arguments, CC="no-such-cc", XDG_CACHE_HOME=str(tmp_path)))
    assert status == 2
    assert out == ""
    assert "Traceback" not in err
    assert "needs a C compiler" in err


def descendants(pid: int) -> set[int]:
    """Return the ids of a process's children and their descendants."""
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found |= {child} | descendants(child)
    return found


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_and_writes_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "results.json").write_text("of an earlier run")
    arguments = ["--rows", "echo-256B", "--peers", "ws6455,websockets", "--seconds", "30"]
    process = command(*arguments, "--output", str(tmp_path))
    deadline = time.monotonic() + 30
    started: set[int] = set()
    while len(started) < 2 and time.monotonic() < deadline:  # A server and its load.
        started = descendants(process.pid)
        time.sleep(0.05)
    process.send_signal(number)
    status, out, err = outcome(process)
    assert len(started) == 2
    assert status == 128 + number, err
    assert out == ""
    assert f"Ended by {number.name}; nothing is written." in err
    assert "Traceback" not in err
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]
    assert (tmp_path / "results.json").read_text() == "of an earlier run"
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]
