"""Errors of a job when wstest or the echo process fails."""

import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance import job as job_module
from conformance.job import Job, JobFailed
from conformance.wstest import Wstest

Script = Callable[[str, str], Path]

BEGINS = "print('Running test case ID 3.1 for agent ws6455 from peer', flush=True)\n"
HANGS = "import time; time.sleep(600)\n"

# A fuzzing server that accepts connections and closes them without a handshake.
LISTENS = """
import json, socket, sys
with open(sys.argv[sys.argv.index("--spec") + 1]) as spec:
    port = int(json.load(spec)["url"].rpartition(":")[2])
listener = socket.create_server(("127.0.0.1", port))
while True:
    listener.accept()[0].close()
"""

Make = Callable[[str, str], tuple[Job, list[str]]]


@pytest.fixture
def make(script: Script, tmp_path: Path) -> Make:
    """Return a function ``(role, code of wstest) -> a job and its list of started cases``."""

    def make(role: str, code: str) -> tuple[Job, list[str]]:
        begun: list[str] = []
        wstest = Wstest((str(script("wstest", code)),), dict(os.environ))
        job = Job(role, ["3.1"], tmp_path / "job", wstest, lambda _, case: begun.append(case), 2.0)
        return job, begun

    return make


@pytest.fixture
def echo_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Return a function that replaces the code of our echo server."""

    def replace(code: str) -> None:
        package = tmp_path / "root/conformance"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "echo_server.py").write_text(textwrap.dedent(code))
        monkeypatch.setattr(job_module, "ROOT", tmp_path / "root")

    return replace


async def test_a_wstest_that_falls_silent_is_given_up(make: Make) -> None:
    job, begun = make("server", BEGINS + HANGS)
    with pytest.raises(
        JobFailed, match=r"wstest was silent for 2 s; last output: Running test case ID 3"
    ):
        await job.run()
    assert begun == ["3.1"]


async def test_a_fuzzing_server_that_never_listens_is_given_up(make: Make) -> None:
    job, _ = make("client", HANGS)
    with pytest.raises(JobFailed, match="wstest was silent for 2 s; last output: none"):
        await job.run()


async def test_a_wstest_that_dies_is_told_with_its_last_word(make: Make) -> None:
    job, begun = make("server", BEGINS + "raise SystemExit('out of memory')")
    with pytest.raises(
        JobFailed, match=r"wstest ended with status 1; last output: out of memory \(see .*\)"
    ):
        await job.run()
    assert begun == ["3.1"]


async def test_a_wstest_that_does_not_start_is_told(make: Make, tmp_path: Path) -> None:
    job, _ = make("client", "")
    (tmp_path / "bin/wstest").chmod(0o644)
    with pytest.raises(JobFailed, match=r"could not be started: .*Permission denied"):
        await job.run()


async def test_an_echo_client_that_dies_is_told(make: Make) -> None:
    job, _ = make("client", LISTENS)
    with pytest.raises(JobFailed, match="echo_client ended with status 1; last output: "):
        await job.run()


async def test_an_echo_server_that_dies_at_once_is_told(
    make: Make, echo_server: Callable[[str], None]
) -> None:
    echo_server("raise SystemExit('no port')")
    job, _ = make("server", HANGS)
    with pytest.raises(JobFailed, match="echo_server ended with status 1; last output: no port"):
        await job.run()


async def test_an_echo_server_that_dies_later_is_told(
    make: Make, echo_server: Callable[[str], None]
) -> None:
    echo_server("""
        import socket
        with socket.create_server(("127.0.0.1", 0)) as listener:
            print(listener.getsockname()[1], flush=True)
            listener.accept()
        raise SystemExit("assertion failed")
    """)
    connects = """
import json, socket, sys
with open(sys.argv[sys.argv.index("--spec") + 1]) as spec:
    port = int(json.load(spec)["servers"][0]["url"].rpartition(":")[2])
socket.create_connection(("127.0.0.1", port))
"""
    job, begun = make("server", BEGINS + connects + HANGS)
    with pytest.raises(
        JobFailed, match="echo_server ended with status 1; last output: assertion failed"
    ):
        await job.run()
    assert begun == ["3.1"]
