"""Type checkers find nothing wrong with a user's program, and something with a wrong one."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("program.py")
CHECKERS = {
    "mypy": ["mypy", "--strict", "--no-incremental", "--config-file="],
    "pyright": ["pyright", "--pythonpath", sys.executable],
}
# pyright's own strictness is chosen by a comment.
STRICT = "# pyright: strict\n"
WRONG = """

async def wrong(websocket: ws6455.ClientConnection) -> None:
    await websocket.send(1)
"""


def check(checker: str, program: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *CHECKERS[checker], str(program)],
        capture_output=True,
        text=True,
        timeout=110,
        cwd=program.parent,
    )


@pytest.mark.parametrize("checker", CHECKERS)
def test_a24_a_users_program_is_clean(checker: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(STRICT + PROGRAM.read_text())
    checked = check(checker, program)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("checker", CHECKERS)
def test_a24_a_wrong_argument_is_found(checker: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(STRICT + PROGRAM.read_text() + WRONG)
    checked = check(checker, program)
    assert checked.returncode == 1
    assert "send" in checked.stdout
