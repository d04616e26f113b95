"""The command as a user runs it, with a fake wstest."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
Script = Callable[[str, str], Path]

# A fuzzing client that reports the results given in the variable FOUND; other cases are missing.
FINDS = """
import json, os, pathlib, sys
spec = json.loads(pathlib.Path(sys.argv[sys.argv.index("--spec") + 1]).read_text())
folder = pathlib.Path(spec["outdir"])
folder.mkdir(parents=True)
found = json.loads(os.environ["FOUND"])
index = {
    case: {"behavior": found[case][0], "behaviorClose": found[case][1]}
    for case in spec["cases"] if case in found
}
for case in spec["cases"]:
    print(f"Running test case ID {case} for agent ws6455 from peer", flush=True)
(folder / "index.json").write_text(json.dumps({"ws6455": index}))
"""

# A wstest that connects to the test and keeps the connection open while it runs.
HANGS = """
import os, socket, time
sock = socket.create_connection(("127.0.0.1", int(os.environ["TELL"])))
sock.sendall(b"x")
time.sleep(600)
"""


def command(*arguments: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "conformance", *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    with process:
        out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--role", "peer"], "argument --role: invalid choice: 'peer'"),
        (["--cases", "14.*"], "argument --cases: no case matches '14.*'"),
        (["--cases", "1.*,"], "argument --cases: no case matches ''"),
        (["--jobs", "0"], "argument --jobs: at least 1"),
        (["--jobs", "many"], "argument --jobs: invalid int value: 'many'"),
        (["--report", "/dev/null/report"], "argument --report: [Errno 20] Not a directory"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
    ],
)
def test_wrong_usage_ends_with_status_2(arguments: list[str], complaint: str) -> None:
    status, out, err = outcome(command(*arguments))
    assert status == 2
    assert out == ""
    assert complaint in err


def test_a_machine_without_any_wstest_gets_one_line_and_status_1(tmp_path: Path) -> None:
    empty = {name: str(tmp_path) for name in ("PATH", "PYENV_ROOT", "XDG_CACHE_HOME")}
    status, out, err = outcome(command("--report", str(tmp_path), WSTEST="", **empty))
    assert status == 1
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "pyenv install 2.7.18" in err


@pytest.mark.parametrize(
    ("found", "status", "last"),
    [
        ('{"3.1": ["OK", "OK"], "3.2": ["INFORMATIONAL", "OK"]}', 0, "2 passed, 0 failed"),
        ('{"3.1": ["OK", "OK"], "3.2": ["NON-STRICT", "OK"]}', 1, "1 passed, 1 failed"),
        ('{"3.1": ["OK", "UNCLEAN"], "3.2": ["OK", "WRONG CODE"]}', 1, "0 passed, 2 failed"),
        ('{"3.1": ["OK", "OK"]}', 1, "1 passed, 1 failed"),
    ],
)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_status_and_the_last_line_are_the_verdict(
    script: Script, tmp_path: Path, found: str, status: int, last: str, jobs: str
) -> None:
    fake = str(script("wstest", FINDS))
    arguments = ["--role", "server", "--cases", "3.1,3.2", "--jobs", jobs]
    arguments += ["--report", str(tmp_path / "report")]
    process = command(*arguments, WSTEST=fake, FOUND=found)
    ended, out, err = outcome(process)
    assert ended == status, err
    assert out.splitlines()[-1] == last
    assert (tmp_path / "report/server/index.html").exists()
    assert f"Report: {tmp_path / 'report/server/index.html'}" in out


def test_an_earlier_report_does_not_stand_in_for_this_run(script: Script, tmp_path: Path) -> None:
    arguments = ["--role", "server", "--cases", "3.1", "--report", str(tmp_path / "report")]
    fake = str(script("wstest", FINDS))
    assert outcome(command(*arguments, WSTEST=fake, FOUND='{"3.1": ["OK", "OK"]}'))[0] == 0
    status, out, _ = outcome(command(*arguments, WSTEST=fake, FOUND="{}"))
    assert status == 1
    assert out.splitlines()[-1] == "0 passed, 1 failed"


def test_the_cases_of_a_wstest_that_dies_did_not_run(script: Script, tmp_path: Path) -> None:
    fake = script("wstest", "import sys; sys.exit('no reactor')")
    arguments = ["--cases", "3.*", "--report", str(tmp_path / "report")]
    status, out, err = outcome(command(*arguments, WSTEST=str(fake)))
    assert status == 1
    for role in ("server", "client"):
        assert f"{role}: wstest ended with status 1; last output: no reactor (see" in err
        assert f"{role} 3.7: did not run" in out
    assert out.splitlines()[-1] == "0 passed, 14 failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_process(
    script: Script, tmp_path: Path, number: signal.Signals
) -> None:
    fake = str(script("wstest", HANGS))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        arguments = ["--role", "server", "--cases", "3.1", "--report", str(tmp_path)]
        port = str(listener.getsockname()[1])
        process = command(*arguments, WSTEST=fake, TELL=port)
        told, _ = listener.accept()
        with told:
            assert told.recv(1) == b"x"
            process.send_signal(number)
            status, _, err = outcome(process)
            assert told.recv(1) == b"", "wstest has outlived the command"
    assert status == 128 + number
    assert f"Ended by {number.name}" in err
    spec = (tmp_path / "server/job-1/spec.json").read_text()
    echo_port = re.search(r"ws://127\.0\.0\.1:(\d+)", spec)
    assert echo_port is not None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(echo_port[1])))
