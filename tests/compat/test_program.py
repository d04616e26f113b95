"""ws6455.compat.program: programs run as ``__main__``, and the command ``websockets``."""

from pathlib import Path
from typing import Any

import pytest

from tests.compat.conftest import OURS, running
from tests.conftest import uri_of

PROGRAM = """\
import os, sys
import websockets.asyncio.client
import beside
print(__name__, os.path.basename(__file__), sys.argv, beside.here)
print(websockets.connect.__module__, sys.modules["__main__"].print_it is print_it)
print(print_it.__annotations__)
"""


PRINTED = """\
__main__ program.py %s True
ws6455.compat.client True
{'twice': <class 'bool'>}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return the path of a program that prints its environment, with a module in its folder."""
    tmp_path.joinpath("beside.py").write_text("here = True\n")
    path = tmp_path / "program.py"
    path.write_text("def print_it(twice: bool): pass\n" + PROGRAM)
    return path


async def test_a_program_runs_as_main(program: Path) -> None:
    async with running(*OURS, str(program), "-x", "argument") as process:
        out, err = await process.end()
    argv = [str(program), "-x", "argument"]
    assert (out, err) == (PRINTED % argv, "")


async def test_a_module_runs_as_main(program: Path, tmp_path: Path) -> None:
    async with running(*OURS, "-m", "program", "argument", cwd=tmp_path) as process:
        out, err = await process.end()
    argv = [str(program), "argument"]
    assert (out, err) == (PRINTED % argv, "")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere.py"], "ws6455: can't open file 'nowhere.py': No such file or directory\n"),
        (["-m"], "ws6455: -m needs the name of a module\n"),
        ([], "ws6455: no program to run\n"),
    ],
)
async def test_no_program_is_status_2(arguments: list[str], complaint: str) -> None:
    async with running(*OURS, *arguments) as process:
        assert await process.end() == ("", complaint)
    assert process.process.returncode == 2


async def test_status_and_traceback_of_a_program(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text("import sys\nif len(sys.argv) > 1:\n    sys.exit(7)\nraise LookupError('no')\n")
    async with running(*OURS, str(path), "exit") as process:
        assert await process.end() == ("", "")
    assert process.process.returncode == 7
    async with running(*OURS, str(path)) as process:
        _, err = await process.end()
    assert err.endswith("raise LookupError('no')\nLookupError: no\n")
    assert process.process.returncode == 1


async def test_the_command_connects(websockets: Any) -> None:
    async def shout(websocket: Any) -> None:
        async for message in websocket:
            await websocket.send(message.upper())

    async with (
        websockets.serve(shout, "127.0.0.1", 0) as server,
        running(*OURS, "-m", "websockets", uri_of(server)) as client,
    ):
        out, _ = await client.end("hello\n")
    assert "HELLO" in out


async def test_the_command_without_a_uri_is_status_2() -> None:
    async with running(*OURS, "-m", "websockets") as client:
        _, err = await client.end()
    assert client.process.returncode == 2
    assert "<uri>" in err
    async with running(*OURS, "-m", "websockets", "--version") as client:
        assert await client.end() == ("websockets 17.4\n", "")
