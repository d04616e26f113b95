"""ws6455.compat.finder: imports of `websockets`, and the errors for missing names."""

import importlib
import importlib.util
import sys
from typing import Any

import pytest

import ws6455
from tests.compat.conftest import without_theirs
from ws6455 import compat
from ws6455.compat.names import MORE, PUBLIC


def test_a_bare_import_gives_names_and_submodules(websockets: Any) -> None:
    assert websockets.__version__ == "17.4"
    assert websockets.exceptions.InvalidHandshake is ws6455.InvalidHandshake
    assert issubclass(websockets.exceptions.ConnectionClosed, ws6455.ConnectionClosed)
    assert websockets.protocol.State.OPEN is ws6455.State.OPEN
    assert websockets.legacy.server.WebSocketServerProtocol is websockets.ServerConnection
    assert issubclass(websockets.connect, ws6455.connect)


def test_every_name_of_the_table_exists(websockets: Any) -> None:
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
def test_modules_have_names_of_other_modules(websockets: Any, line: str) -> None:
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


def test_import_star(websockets: Any) -> None:
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
def test_the_import_error_has_the_nearest_name(websockets: Any, line: str, message: str) -> None:
    with pytest.raises(ImportError) as caught:
        exec(line)
    assert str(caught.value) == message


def test_the_attribute_error_has_the_nearest_name(websockets: Any) -> None:
    with pytest.raises(AttributeError, match=r"the nearest name is websockets\.connect$"):
        _ = websockets.conect
    assert not hasattr(websockets.asyncio.client, "nothing_of_the_kind")


def test_a_second_install_has_no_effect() -> None:
    with without_theirs():
        before = list(sys.meta_path)
        compat.install()
        compat.install()
        assert len(sys.meta_path) == len(before) + 1
        compat.uninstall()
        compat.uninstall()
        assert sys.meta_path == before


def test_uninstall() -> None:
    with without_theirs():
        compat.install()
        ours = importlib.import_module("websockets")
        compat.uninstall()
        assert "websockets" not in sys.modules
        spec = importlib.util.find_spec("websockets")
        assert spec is not None
        assert ours.__spec__ is not None
        assert spec.origin != ours.__spec__.origin


def test_install_after_another_websockets_is_an_error() -> None:
    with without_theirs():
        sys.modules["websockets"] = sys
        with pytest.raises(RuntimeError, match="another websockets is imported already"):
            compat.install()
        del sys.modules["websockets"]
