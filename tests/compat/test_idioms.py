"""Programs in the idioms of each era print the same on ws6455 and on `websockets`.

Programs for versions up to 13 run twice: with the top level, and with `websockets.legacy` in its
place.
"""

import contextlib
import re
from pathlib import Path

import pytest

from tests.cli.conftest import certificate as certificate  # a fixture
from tests.compat.conftest import OURS, running

IDIOMS = Path(__file__).parent / "idioms"
# Arguments before the program on the installed `websockets`, by folder.
THEIRS = {
    "until_13": (str(Path(__file__).parent / "top_level_of_13.py"),),
    "since_14": (),
}


@pytest.mark.parametrize(
    ("era", "name"), sorted((path.parent.name, path.stem) for path in IDIOMS.glob("*/[a-z]*.py"))
)
async def test_a_program_prints_the_same_on_websockets(
    era: str, name: str, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTIFICATE", certificate)
    program = str(IDIOMS / era / f"{name}.py")
    ours = {(*OURS, program), (*OURS, *THEIRS[era], program)}
    async with contextlib.AsyncExitStack() as stack:
        theirs = await stack.enter_async_context(running(*THEIRS[era], program))
        processes = [await stack.enter_async_context(running(*command)) for command in ours]
        expected, their_complaint = await theirs.end()
        assert theirs.process.returncode == 0, their_complaint
        assert re.search(r"\w", expected)
        for process in processes:
            assert await process.end() == (expected, "")
            assert process.process.returncode == 0
