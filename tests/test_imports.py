"""The floors of the library: imports go down only, and no I/O below the front ends."""

import ast
import itertools
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ws6455

PACKAGE = Path(ws6455.__file__).parent

# A module imports from lower lines only. In brackets the floor of the design.
LINES = (
    ("exceptions", "typing", "settings", "version"),
    ("http1",),
    ("framing",),
    ("protocol",),
    ("session",),
    ("client", "server"),
    ("aio", "sync"),
    ("hub", "compat", "testing", "uvicorn"),
    ("cli",),
    ("__main__",),
    ("__init__",),
)
LINE_OF = {name: line for line, names in enumerate(LINES) for name in names}
NO_IO_BELOW = LINE_OF["aio"]
IO_MODULES = {"asyncio", "socket", "threading", "ssl", "time"}
# A folder is one entry of the table: its modules may import each other, without a cycle.
FOLDERS = {
    "http1",
    "framing",
    "protocol",
    "session",
    "client",
    "server",
    "aio",
    "sync",
    "hub",
    "cli",
    "compat",
    "testing",
}


def read_sources() -> dict[str, str]:
    """Map each module's dotted name within the package to its source."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path.read_text()
        for path in PACKAGE.rglob("*.py")
    }


def entry_of(module: str) -> str:
    """Give the name by which the table knows a module."""
    return module.partition(".")[0]


def is_type_checking(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def walk(node: ast.AST, type_only: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Yield every node below, and whether it is only there for the type checker."""
    for child in ast.iter_child_nodes(node):
        inside = type_only or is_type_checking(child)
        yield child, inside
        yield from walk(child, inside)


def imported(module: str, source: str, modules: set[str]) -> Iterator[tuple[str, bool]]:
    """Yield what a module imports, and whether only for types.

    Modules of the package come as ``.name``, others as their top-level name.
    """
    package = module.split(".")[:-1]
    for node, type_only in walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package[: len(package) - node.level + 1]
                base = ".".join(["ws6455", *parents, *([base] if base else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            if top != "ws6455":
                yield top, type_only
                continue
            parent = rest.rpartition(".")[0]
            for target in (rest, f"{rest}.__init__", parent, f"{parent}.__init__", "__init__"):
                if target in modules or target == "__init__":
                    yield f".{target}", type_only
                    break


def violations(sources: dict[str, str]) -> list[str]:
    """List every import that breaks the rules."""
    found = []
    graph: dict[str, set[str]] = {}
    for module, source in sources.items():
        if entry_of(module) not in LINE_OF:
            found.append(f"{module} is missing from the table")
            continue
        line = LINE_OF[entry_of(module)]
        graph[module] = set()
        for name, type_only in imported(module, source, set(sources)):
            if not name.startswith("."):
                if name in IO_MODULES and line < NO_IO_BELOW:
                    found.append(f"{module} imports {name}")
                continue
            target = name[1:]
            same_folder = entry_of(target) == entry_of(module) and entry_of(module) in FOLDERS
            if same_folder and type_only:
                continue
            graph[module].add(target)
            if not same_folder and LINE_OF.get(entry_of(target), -1) >= line:
                found.append(f"{module} imports {target}, which is no lower")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        found.append(f"cycle: {' -> '.join(exc.args[1])}")
    return found


def test_the_package_keeps_the_rules() -> None:
    sources = read_sources()
    assert len(sources) > 12
    assert violations(sources) == []


def test_every_module_imports_something_that_is_seen() -> None:
    # The checker would find nothing at all if it did not resolve the relative imports.
    sources = read_sources()
    seen = set(
        itertools.chain(*(imported(name, text, set(sources)) for name, text in sources.items()))
    )
    for module in (
        "exceptions",
        "framing.frames",
        "http1.head",
        "framing.deflate",
        "protocol.protocol",
        "protocol.opening",
        "session.keepalive",
    ):
        assert (f".{module}", False) in seen


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
            "from ws6455.session.keepalive import Session",
            "framing.frames imports session.keepalive, which is no lower",
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
        ("session.keepalive", "import asyncio", "session.keepalive imports asyncio"),
        ("protocol.protocol", "from time import monotonic", "protocol.protocol imports time"),
        ("framing.deflate", "def f():\n    import threading", "framing.deflate imports threading"),
        ("http1.head", "import socket as s", "http1.head imports socket"),
        ("protocol.handshake", "import ssl", "protocol.handshake imports ssl"),
        ("newcomer", "import os", "newcomer is missing from the table"),
        (
            "sync.client",
            "from ..aio.client import connect",
            "sync.client imports aio.client, which is no lower",
        ),
    ],
)
def test_a_broken_rule_is_found(module: str, line: str, expected: str) -> None:
    sources = read_sources()
    sources[module] = f"{sources.get(module, '')}\n{line}\n"
    assert expected in violations(sources)


def test_a_cycle_within_a_folder_is_found() -> None:
    sources = {"aio.one": "from .two import x", "aio.two": "from . import one"}
    (found,) = violations(sources)
    assert found.startswith("cycle: ")


def test_a_name_of_a_package_is_the_package() -> None:
    modules = {"aio.__init__", "aio.server", "frames"}
    source = "from .aio import name, server\nfrom ..frames import Frame"
    assert list(imported("client", source.partition("\n")[0], modules)) == [
        (".aio.__init__", False),
        (".aio.server", False),
    ]
    assert list(imported("aio.client", source.partition("\n")[2], modules)) == [(".frames", False)]


def test_a_folder_may_import_its_own_modules_and_those_for_types_in_a_circle() -> None:
    sources = {
        "aio.one": "from .two import x\nfrom ..session import y",
        "aio.two": "if TYPE_CHECKING:\n    from .one import z",
        "session": "",
    }
    assert violations(sources) == []
