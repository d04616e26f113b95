"""`websockets` found as ours: modules, names, what is missing, and programs run as ``__main__``."""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

import ws6455
from tests.compat.conftest import OURS, running, without_theirs
from ws6455 import compat
from ws6455.compat.names import MORE, PUBLIC


def test_a_bare_import_gives_names_and_submodules(websockets: Any) -> None:
    assert websockets.__version__ == "17.4"
    assert websockets.exceptions.InvalidHandshake is ws6455.InvalidHandshake
    assert issubclass(websockets.exceptions.ConnectionClosed, ws6455.ConnectionClosed)
    assert websockets.protocol.State.OPEN is ws6455.State.OPEN
    assert websockets.legacy.server.WebSocketServerProtocol is websockets.ServerConnection
    assert issubclass(websockets.connect, ws6455.connect)


def test_every_name_of_the_table_is_there(websockets: Any) -> None:
    assert set(MORE) <= set(PUBLIC)
    for module_name, sources in PUBLIC.items():
        module = importlib.import_module(module_name)
        for source in (sources, MORE.get(module_name, {})):
            for name in " ".join(source.values()).split():
                theirs = name.partition("=")[0]
                assert getattr(module, theirs) is not None
                assert theirs in dir(module)


@pytest.mark.parametrize(
    "line",
    [
        "from websockets.asyncio.server import Request, Response, State",
        "from websockets.asyncio.connection import CLOSED, OPEN, ConnectionClosed",
        "from websockets.client import Headers, InvalidHandshake, Subprotocol",
        "from websockets.legacy.protocol import CloseCode, ConnectionClosedOK, State",
        "from websockets.legacy.server import Headers, WebSocketCommonProtocol",
        "from websockets.protocol import Close, Frame, InvalidState",
        "from websockets.sync.client import ConnectionClosedError, Response",
    ],
)
def test_a_name_is_found_where_another_module_has_it_from(websockets: Any, line: str) -> None:
    found: dict[str, Any] = {}
    exec(line, found)
    del found["__builtins__"]
    for name, value in found.items():
        module = next(
            module
            for module in ("websockets", "websockets.protocol")
            if hasattr(importlib.import_module(module), name)
        )
        assert value is getattr(importlib.import_module(module), name)


def test_a_star_gives_the_public_names(websockets: Any) -> None:
    found: dict[str, Any] = {}
    exec("from websockets import *", found)
    del found["__builtins__"]
    assert set(found) == set(websockets.__all__)
    assert len(found) == 66


def test_names_are_looked_up_once(websockets: Any) -> None:
    assert "connect" not in vars(websockets)
    connect = websockets.connect
    assert vars(websockets)["connect"] is connect


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "from websockets import conect",
            "ws6455 does not offer websockets.conect; the nearest name is websockets.connect",
        ),
        (
            "from websockets.exceptions import ConectionClosed",
            "ws6455 does not offer websockets.exceptions.ConectionClosed; "
            "the nearest name is websockets.exceptions.ConnectionClosed",
        ),
        (
            "import websockets.exception",
            "ws6455 does not offer websockets.exception; the nearest name is websockets.exceptions",
        ),
        ("import websockets.foo.bar", "ws6455 does not offer websockets.foo"),
        (
            "from websockets.asyncio.client import serve",
            "ws6455 does not offer websockets.asyncio.client.serve; it is websockets.serve",
        ),
        (
            "from websockets.trio.server import serve",
            "ws6455 does not offer websockets.trio: it has front ends for asyncio and for "
            "threads; trio has no counterpart",
        ),
    ],
)
def test_a_name_that_is_missing_is_an_import_error_with_the_nearest(
    websockets: Any, line: str, message: str
) -> None:
    with pytest.raises(ImportError) as caught:
        exec(line)
    assert str(caught.value) == message


def test_a_missing_attribute_is_an_attribute_error_with_the_nearest(websockets: Any) -> None:
    with pytest.raises(AttributeError, match=r"the nearest name is websockets\.connect$"):
        _ = websockets.conect
    assert not hasattr(websockets.asyncio.client, "nothing_of_the_kind")


def test_installing_twice_is_installing_once() -> None:
    with without_theirs():
        before = list(sys.meta_path)
        compat.install()
        compat.install()
        assert len(sys.meta_path) == len(before) + 1
        compat.uninstall()
        compat.uninstall()
        assert sys.meta_path == before


def test_uninstalled_the_installed_package_is_found_again() -> None:
    with without_theirs():
        compat.install()
        ours = importlib.import_module("websockets")
        compat.uninstall()
        assert "websockets" not in sys.modules
        spec = importlib.util.find_spec("websockets")
        assert spec is not None
        assert ours.__spec__ is not None
        assert spec.origin != ours.__spec__.origin


def test_after_another_websockets_it_is_too_late() -> None:
    with without_theirs():
        sys.modules["websockets"] = sys
        with pytest.raises(RuntimeError, match="another websockets is imported already"):
            compat.install()
        del sys.modules["websockets"]


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
    """Give a program that tells what it sees, with a module beside it."""
    tmp_path.joinpath("beside.py").write_text("here = True\n")
    path = tmp_path / "program.py"
    path.write_text("def print_it(twice: bool): pass\n" + PROGRAM)
    return path


async def test_a_program_runs_as_python_would_run_it(program: Path) -> None:
    async with running(*OURS, str(program), "-x", "argument") as process:
        out, err = await process.end()
    argv = [str(program), "-x", "argument"]
    assert (out, err) == (PRINTED % argv, "")


async def test_a_module_runs_as_python_would_run_it(program: Path, tmp_path: Path) -> None:
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


async def test_a_program_s_own_status_and_traceback_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text("import sys\nif len(sys.argv) > 1:\n    sys.exit(7)\nraise LookupError('no')\n")
    async with running(*OURS, str(path), "exit") as process:
        assert await process.end() == ("", "")
    assert process.process.returncode == 7
    async with running(*OURS, str(path)) as process:
        _, err = await process.end()
    assert err.endswith("raise LookupError('no')\nLookupError: no\n")
    assert process.process.returncode == 1
