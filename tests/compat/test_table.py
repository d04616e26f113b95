"""Comparison of compat's `websockets` with the tables of the documented API of versions 8 to 17.

A failing row is a name, a signature, a member or a value that a program would miss.
"""

import asyncio
import json
import logging
import os
import re
import ssl
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import ws6455
from ws6455 import compat

from .table import MODULES
from .table.environment import VARIABLES
from .table.exceptions import CALLS
from .table.live import missing_attributes, open_with
from .table.matching import differences, signature_of
from .table.sans_io import UNDOCUMENTED
from .table.top_level import ALL, FORMER_KEYWORDS, SUBMODULES, UNOFFERED

ROOT = Path(__file__).parent.parent.parent

# Names in the documented defaults, with the modules that define them in `websockets` and in ws6455.
SYMBOLS = {
    "SERVER": "websockets.http11",
    "State": "websockets.protocol",
    "USER_AGENT": "websockets.http11",
    "backoff": "websockets.client",
    "process_exception": "websockets.client",
}
NATIVE_SYMBOLS = {
    "SERVER": "ws6455.http1.head",
    "State": "ws6455.protocol.protocol",
    "USER_AGENT": "ws6455.http1.head",
    "backoff": "ws6455.client.reconnecting",
    "process_exception": "ws6455.client.reconnecting",
}
# The module of ws6455 that has the names of a module of `websockets`.
NATIVE = {
    "websockets.asyncio.client": "ws6455",
    "websockets.asyncio.server": "ws6455",
    "websockets.asyncio.router": "ws6455",
    "websockets.client": "ws6455",
    "websockets.server": "ws6455",
    "websockets.protocol": "ws6455",
    "websockets.frames": "ws6455",
    "websockets.http11": "ws6455",
    "websockets.datastructures": "ws6455",
    "websockets.uri": "ws6455",
    "websockets.exceptions": "ws6455.exceptions",
    "websockets.sync.client": "ws6455.sync.client",
    "websockets.sync.server": "ws6455.sync.server",
    "websockets.sync.router": "ws6455.sync.router",
}
# Methods that only compat has.
GENERATOR_PARSERS = "Request.parse Response.parse Frame.parse"
# Arguments that only compat takes, by module and callable of `websockets`.
COMPAT_ARGUMENTS = {
    ("websockets.sync.client", "connect"): ", legacy=None",
    ("websockets.sync.client", "unix_connect"): ", *, legacy=None",
    ("websockets.sync.server", "broadcast"): ", **of_the_thread_pool",
}


class Symbols(dict[str, object]):
    """The values of names such as those of :data:`SYMBOLS`, looked up on use."""

    def __init__(self, modules: dict[str, str]) -> None:
        self.modules = modules

    def __missing__(self, word: str) -> object:
        return getattr(import_module(self.modules[word]), word)


@pytest.fixture(scope="module", autouse=True)
def _websockets_is_ours() -> Iterator[None]:
    """Provide compat's `websockets` to these tests, and restore the installed one."""

    def take_out() -> dict[str, Any]:
        names = [name for name in sys.modules if name.partition(".")[0] == "websockets"]
        return {name: sys.modules.pop(name) for name in names}

    installed = take_out()
    try:
        compat.install()
        yield
    finally:
        compat.uninstall()
        take_out()
        sys.modules.update(installed)


@pytest.fixture(autouse=True)
def _deprecations_pass() -> Iterator[None]:
    """Ignore DeprecationWarnings, which the tests of names check."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def attribute(module: str, path: str) -> Any:
    """Return an attribute of a module by its path, such as ``Connection.recv``."""
    found: Any = import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def check_signature(module: str, name: str, documented: str, symbols: dict[str, str]) -> None:
    """Check that a callable has the documented signature; the error lists all differences."""
    owner, _, last = name.rpartition(".")
    holder = attribute(module, owner) if owner else import_module(module)
    found = differences(documented, signature_of(holder, last), Symbols(symbols))
    assert not found, f"{module}.{name}: {'; '.join(found)}"


def rows(kind: str) -> list[tuple[str, str, Any]]:
    """Return (module, name, documented value) of every row of the tables of one kind."""
    return [
        (module, name, documented)
        for module, table in MODULES.items()
        for name, documented in getattr(table, kind).items()
    ]


def words(kind: str) -> list[tuple[str, str, str]]:
    """Return (module, name, word) of every word in the tables of one kind."""
    return [
        (module, name, word)
        for module, name, documented in rows(kind)
        for word in documented.split()
    ]


def short(value: object) -> str:
    """Return a parameter's part of a test id: the dotted name, or an ellipsis."""
    return value if isinstance(value, str) and re.fullmatch(r"[\w.]+", value) else "..."


def names(kind: str) -> list[tuple[str, str]]:
    """Return (module, name) of every name in the tables of one kind."""
    return [
        (module, name) for module, table in MODULES.items() for name in getattr(table, kind).split()
    ]


@pytest.mark.parametrize(("module", "name"), names("names"))
def test_a_name_imports_without_a_warning(module: str, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(f"from {module} import {name}", {})


@pytest.mark.parametrize(("module", "name"), names("deprecated"))
def test_a_deprecated_name_imports(module: str, name: str) -> None:
    exec(f"from {module} import {name}", {})


def test_all_has_the_names_of_the_top_level() -> None:
    names: list[str] = import_module("websockets").__all__
    assert set(ALL.split()) <= set(names)
    assert set(ALL.split()) <= set(dir(import_module("websockets")))


@pytest.mark.parametrize("module", UNOFFERED.split())
def test_an_unsupported_module_is_an_import_error(module: str) -> None:
    with pytest.raises(ImportError, match="trio"):
        import_module(module)


@pytest.mark.parametrize(("module", "name", "documented"), rows("signatures"), ids=short)
def test_a_signature_is_as_documented(module: str, name: str, documented: str) -> None:
    check_signature(module, name, documented, SYMBOLS)


@pytest.mark.parametrize(("module", "name", "member"), words("members"))
def test_a_class_has_a_member(module: str, name: str, member: str) -> None:
    assert hasattr(attribute(module, name), member), f"{module}.{name} has no {member}"


@pytest.mark.parametrize(("module", "name", "documented"), rows("attributes"), ids=short)
def test_an_instance_has_the_documented_attributes(module: str, name: str, documented: str) -> None:
    missing = missing_attributes(f"{module}.{name}", documented.split())
    assert not missing, f"{module}.{name} has no {', '.join(missing)}"


@pytest.mark.parametrize(("module", "name", "parent"), words("parents"))
def test_a_class_has_a_parent(module: str, name: str, parent: str) -> None:
    ours, theirs = attribute(module, name), attribute(*parent.split(":"))
    assert issubclass(ours, theirs), f"{module}.{name} is no {parent}"


@pytest.mark.parametrize(("module", "name", "documented"), rows("values"), ids=short)
def test_a_value_is_as_documented(module: str, name: str, documented: object) -> None:
    value = attribute(module, name)
    # A set may be any iterable.
    assert (set(value) if isinstance(documented, set) else value) == documented


@pytest.mark.parametrize(("call", "carried"), CALLS, ids=[call for call, _ in CALLS])
def test_an_exception_has_the_documented_attributes(call: str, carried: dict[str, object]) -> None:
    headers = attribute("websockets.datastructures", "Headers")()
    words = {name: attribute("websockets.exceptions", name) for name in [call.partition("(")[0]]}
    words["close"] = attribute("websockets.frames", "Close")(1001, "bye")
    words["response"] = attribute("websockets.http11", "Response")(404, "Not Found", headers)
    exc = eval(call, words)
    assert str(exc)
    for path, value in carried.items():
        found: Any = exc
        for name in path.split("."):
            found = getattr(found, name)
        assert found == value, path


@pytest.mark.parametrize("name", ["code", "reason"])
def test_code_and_reason_of_connection_closed_do_not_warn(name: str) -> None:
    close = attribute("websockets.frames", "Close")(1001, "bye")
    closed = attribute("websockets.exceptions", "ConnectionClosedOK")(close, close, True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert getattr(closed, name) == getattr(close, name)


def test_ssl_context_of_threads_warns() -> None:
    connect = attribute("websockets.sync.client", "connect")
    serve = attribute("websockets.sync.server", "serve")
    with pytest.warns(DeprecationWarning, match="ssl_context"):
        server = serve(print, "127.0.0.1", 0, ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    server.shutdown()
    with (
        pytest.warns(DeprecationWarning, match="ssl_context"),
        pytest.raises(ValueError, match="ssl"),
    ):
        connect("ws://127.0.0.1:1/", ssl_context=ssl.create_default_context())


@pytest.mark.parametrize(("keyword", "value"), FORMER_KEYWORDS.items())
def test_the_top_level_accepts_an_old_argument(keyword: str, value: object) -> None:
    assert asyncio.run(open_with({keyword: value}, {})) == "hello"
    assert asyncio.run(open_with({}, {keyword: value})) == "hello"


@pytest.fixture(scope="module")
def program() -> Any:
    """Return the output of a program that runs with every variable set."""
    variables = {f"WEBSOCKETS_{name}": row.value for name, row in VARIABLES.items()}
    output = subprocess.run(
        [sys.executable, "-m", "tests.compat.table.probe"],
        env={**os.environ, **variables},
        cwd=ROOT,
        timeout=30,
        check=True,
        capture_output=True,
    ).stdout
    return json.loads(output)


@pytest.mark.parametrize("name", SUBMODULES.split())
def test_a_bare_import_is_enough_for_a_submodule(name: str, program: Any) -> None:
    assert name not in program["lacking"]


@pytest.mark.parametrize("name", VARIABLES)
def test_an_environment_variable_has_an_effect(name: str, program: Any) -> None:
    row = VARIABLES[name]
    value = program["values"][name]
    assert value == row.result, f"WEBSOCKETS_{name}={row.value}: {row.expression} is {value!r}"


@pytest.mark.parametrize("side", ["client", "server"])
def test_the_loggers_keep_their_names(side: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        asyncio.run(open_with({}, {}))
    assert f"websockets.{side}" in {record.name for record in caplog.records}


@pytest.mark.parametrize("name", ALL.split())
def test_the_library_has_the_name_itself(name: str) -> None:
    assert hasattr(ws6455, name), f"ws6455 has no {name}"
    assert name in ws6455.__all__, f"{name} is not in ws6455.__all__"


@pytest.mark.parametrize(
    ("module", "name", "documented"),
    [
        (
            NATIVE[module],
            name,
            documented.replace(COMPAT_ARGUMENTS.get((module, name), "\n"), ""),
        )
        for module, name, documented in rows("signatures")
        if module in NATIVE
        and name not in UNDOCUMENTED.split()
        and name not in GENERATOR_PARSERS.split()
        and name.partition(".")[0] in MODULES[module].names.split()
        and (NATIVE[module] != "ws6455" or name.partition(".")[0] in ALL.split())
    ],
    ids=short,
)
def test_the_library_has_the_signature_itself(module: str, name: str, documented: str) -> None:
    check_signature(module, name, documented, NATIVE_SYMBOLS)


@pytest.mark.parametrize("name", GENERATOR_PARSERS.split())
def test_only_compat_has_a_generator_parser(name: str) -> None:
    owner, _, method = name.partition(".")
    assert hasattr(attribute("websockets", owner), method)
    assert not hasattr(getattr(ws6455, owner), method)


@pytest.mark.parametrize(("module", "name"), COMPAT_ARGUMENTS)
def test_only_compat_accepts_an_old_argument(module: str, name: str) -> None:
    documented = MODULES[module].signatures[name]
    argument = COMPAT_ARGUMENTS[module, name]
    assert argument in documented
    ours = signature_of(import_module(NATIVE[module]), name)
    assert len(differences(documented, ours, Symbols(NATIVE_SYMBOLS))) >= 1
