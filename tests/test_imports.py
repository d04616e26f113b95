"""The floors of the library: the folder is the floor, and imports go down only."""

import ast
import functools
import itertools
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ws6455

PACKAGE = Path(ws6455.__file__).parent

# From the ground up. A module may import from its own folder, without a circle, and from lower
# floors; entries of one floor do not import each other.
FLOORS = (
    {"exceptions", "settings", "typing", "version"},
    {"http1"},
    {"framing"},
    {"protocol"},
    {"session"},
    {"client", "server"},
    {"aio", "sync"},
    {"compat", "hub", "testing", "uvicorn"},
    {"cli"},
    {"__init__", "__main__"},
)
FLOOR_OF = {entry: floor for floor, entries in enumerate(FLOORS) for entry in entries}
# Up to this floor nothing knows of I/O, threads or a clock: they are passed in.
WITHOUT_IO = FLOOR_OF["session"]
IO_MODULES = {"asyncio", "datetime", "socket", "ssl", "threading", "time"}
MAX_ENTRIES = 16


def read_sources() -> dict[str, str]:
    """Map each module's dotted name within the package to its source."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path.read_text()
        for path in PACKAGE.rglob("*.py")
    }


def entry_of(module: str) -> str:
    """Return the folder, or the module of the package folder, that a module belongs to."""
    return module.partition(".")[0]


@functools.cache
def import_statements(source: str) -> list[ast.Import | ast.ImportFrom]:
    """List the import statements of a module, at its top or not."""
    return [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Import | ast.ImportFrom)]


def imported(module: str, source: str, modules: set[str]) -> Iterator[str]:
    """Yield what a module imports, for types only or not.

    Modules of the package come as ``.name``, others as their top-level name.
    """
    package = module.split(".")[:-1]
    for node in import_statements(source):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            base = node.module or ""
            if node.level:
                parents = package[: len(package) - node.level + 1]
                base = ".".join(["ws6455", *parents, *([base] if base else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        for name in names:
            top, _, rest = name.partition(".")
            if top != "ws6455":
                yield top
                continue
            parent = rest.rpartition(".")[0]
            for target in (rest, f"{rest}.__init__", parent, f"{parent}.__init__", "__init__"):
                if target in modules or target == "__init__":
                    yield f".{target}"
                    break


def violations(sources: dict[str, str]) -> list[str]:
    """List every import that breaks the rules."""
    found = []
    graph: dict[str, set[str]] = {}
    for module, source in sources.items():
        entry = entry_of(module)
        if entry not in FLOOR_OF:
            found.append(f"{entry} has no floor")
            continue
        graph[module] = set()
        for name in imported(module, source, set(sources)):
            if not name.startswith("."):
                if name in IO_MODULES and FLOOR_OF[entry] <= WITHOUT_IO:
                    found.append(f"{module} imports {name}")
                continue
            target = name[1:]
            graph[module].add(target)
            if entry_of(target) != entry and FLOOR_OF[entry_of(target)] >= FLOOR_OF[entry]:
                found.append(f"{module} imports {target}, which is no lower")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        found.append(f"cycle: {' -> '.join(exc.args[1])}")
    return found


def test_the_package_keeps_the_rules() -> None:
    sources = read_sources()
    assert len(sources) > 100
    assert violations(sources) == []


def test_the_package_folder_has_few_entries() -> None:
    entries = {path.stem for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert entries == set(FLOOR_OF) | {"py"}  # py.typed
    counted = entries - {"__init__", "__main__", "py", "version"}
    assert len(counted) <= MAX_ENTRIES


def test_every_floor_is_seen_to_be_imported_from() -> None:
    # The checker would find nothing at all if it did not resolve the relative imports.
    sources = read_sources()
    seen = set(
        itertools.chain(*(imported(name, text, set(sources)) for name, text in sources.items()))
    )
    for module in (
        "exceptions",
        "http1.head",
        "framing.frames",
        "protocol.protocol",
        "session.connection",
        "client.session",
        "server.session",
        "aio.connection",
    ):
        assert f".{module}" in seen


@pytest.mark.parametrize(
    ("module", "line", "expected"),
    [
        (
            "framing.frames",
            "from ..protocol import states",
            "framing.frames imports protocol.states, which is no lower",
        ),
        (
            "framing.frames",
            "from ws6455.session.connection import BaseConnection",
            "framing.frames imports session.connection, which is no lower",
        ),
        (
            "framing.frames",
            "import ws6455.aio.server",
            "framing.frames imports aio.server, which is no lower",
        ),
        (
            "exceptions",
            "from . import framing",
            "exceptions imports framing.__init__, which is no lower",
        ),
        (
            "exceptions",
            "from .settings import setting",
            "exceptions imports settings, which is no lower",
        ),
        ("http1.uri", "from .. import connect", "http1.uri imports __init__, which is no lower"),
        (
            "framing.frames",
            "def f():\n    from ..protocol.opening import x",
            "framing.frames imports protocol.opening, which is no lower",
        ),
        (
            "http1.headers",
            "if TYPE_CHECKING:\n    from ..framing.frames import Frame",
            "http1.headers imports framing.frames, which is no lower",
        ),
        (
            "client.session",
            "from ..server.session import ServerSession",
            "client.session imports server.session, which is no lower",
        ),
        (
            "sync.client",
            "from ..aio.client import connect",
            "sync.client imports aio.client, which is no lower",
        ),
        ("session.connection", "import asyncio", "session.connection imports asyncio"),
        ("session.keepalive", "import datetime", "session.keepalive imports datetime"),
        (
            "protocol.protocol",
            "from time import monotonic",
            "protocol.protocol imports time",
        ),
        (
            "framing.deflate",
            "def f():\n    import threading",
            "framing.deflate imports threading",
        ),
        ("http1.head", "import socket as s", "http1.head imports socket"),
        ("protocol.handshake", "import ssl", "protocol.handshake imports ssl"),
        ("newcomer", "import os", "newcomer has no floor"),
    ],
)
def test_a_broken_rule_is_found(module: str, line: str, expected: str) -> None:
    sources = read_sources()
    sources[module] = f"{sources.get(module, '')}\n{line}\n"
    assert expected in violations(sources)


@pytest.mark.parametrize("line", ["from . import one", "if TYPE_CHECKING:\n    from .one import x"])
def test_a_cycle_within_a_folder_is_found(line: str) -> None:
    sources = {"aio.one": "from .two import x", "aio.two": line}
    (found,) = violations(sources)
    assert found.startswith("cycle: ")


def test_a_name_of_a_package_is_the_package() -> None:
    modules = {"aio.__init__", "aio.server", "framing.frames"}
    assert list(imported("uvicorn", "from .aio import name, server", modules)) == [
        ".aio.__init__",
        ".aio.server",
    ]
    assert list(imported("aio.client", "from ..framing.frames import Frame", modules)) == [
        ".framing.frames"
    ]
