"""Some cases of the real suite in both roles."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def _wstest(program: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Require wstest, or a Python 2.7 to install it for."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [str(path) for path in pyenv.glob("versions/2.7*/bin")]
    monkeypatch.setenv("PATH", os.pathsep.join([*found, os.environ["PATH"]]))
    if not (os.environ.get("WSTEST") or shutil.which("wstest")):
        program("python2.7", "python2.7")


@pytest.mark.usefixtures("_wstest")
@pytest.mark.timeout(300)  # The first run on a machine installs wstest.
def test_the_suite_passes_a_few_cases_in_both_roles(tmp_path: Path) -> None:
    arguments = ["--cases", "1.1.*,3.1,7.7.1,13.1.1", "--report", str(tmp_path)]
    run = subprocess.run(
        [sys.executable, "-m", "conformance", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.stdout.splitlines()[-1] == "22 passed, 0 failed", run.stdout + run.stderr
    assert run.returncode == 0
    for role in ("server", "client"):
        index = json.loads((tmp_path / role / "index.json").read_text())["ws6455"]
        assert len(index) == 11
        for entry in index.values():
            assert (tmp_path / role / entry["reportfile"]).exists()
