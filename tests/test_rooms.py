"""The tests mirror the rooms: the test of ``ws6455/ROOM/NAME.py`` is ``tests/ROOM/test_NAME.py``.

A module with several subjects has ``test_NAME_SUBJECT.py`` as well, or instead. The few modules
that are covered elsewhere are listed here with the reason.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest

import ws6455

PACKAGE = Path(ws6455.__file__).parent
TESTS = Path(__file__).parent

Elsewhere = Mapping[str, tuple[str, str]]

# A module, or a whole room, without test files of its own: the file or folder that covers it,
# and why.
COVERED_ELSEWHERE: Elsewhere = {
    "__main__": ("tests/cli/test_arguments.py", "the commands of the room `cli` are run by it"),
    "aio/client_connection": ("tests/aio/test_client.py", "the handshake is half of connect()"),
    "cli/frames": ("tests/cli/test_trace.py", "a part of the trace, tested by its lines"),
    "cli/heads": ("tests/cli/test_trace.py", "a part of the trace, tested by its lines"),
    "cli/running": ("tests/cli/test_connect.py", "signals and broken pipes need a process"),
    "cli/tap": ("tests/cli/test_trace.py", "a part of the trace, tested by its lines"),
    "compat": ("tests/compat/test_table.py", "the table of names goes through all modules"),
    "hub/memory_broker": ("tests/hub/test_broker.py", "the same tests as for every broker"),
    "hub/redis_broker": ("tests/hub/test_broker.py", "the same tests as for every broker"),
    "protocol/roles": ("tests/typing/test_program.py", "a type, checked by mypy and pyright"),
    "sync/tls_in_tls": ("tests/sync/test_tunnel.py", "only a tunnel has TLS on either leg"),
    "typing": ("tests/typing/test_program.py", "types, checked by mypy and pyright"),
    "uvicorn": ("tests/uvicorn", "several subjects, and programs of their own"),
    "version": ("tests/cli/test_arguments.py", "one constant, shown by --version"),
}

# Test files in a room that are about no single module of it.
ABOUT_THE_ROOM = {
    "tests/cli/test_run.py": "the command `run` is compat.run_program",
    "tests/hub/test_two_processes.py": "the broker of the guide's program, in two processes",
    "tests/testing/test_on_websockets.py": "the tools against the package `websockets`",
}


def has_code(source: str) -> bool:
    """Return True if a module has more than a docstring, imports and ``__all__``."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            continue
        return True
    return False


def read_modules() -> set[str]:
    """List the modules as ``ROOM/NAME``, packages only if they have code of their own."""
    return {
        path.relative_to(PACKAGE).with_suffix("").as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py" or has_code(path.read_text())
    }


def read_tests() -> set[str]:
    """List the test files as ``tests/ROOM/test_NAME.py``."""
    return {path.relative_to(TESTS.parent).as_posix() for path in TESTS.rglob("test_*.py")}


def room_of(path: str) -> str:
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    return path.rpartition("/")[2]


def module_of(test: str, modules: Collection[str]) -> str | None:
    """Return the module that a test file is about: of several, the one with the longest name."""
    room = room_of(test).removeprefix("tests").removeprefix("/")
    subject = name_of(test).removeprefix("test_").removesuffix(".py")
    found = [
        module
        for module in modules
        if room_of(module) == room and f"{subject}_".startswith(f"{name_of(module)}_")
    ]
    return max(found, key=len, default=None)


def gaps(
    modules: Collection[str], tests: Collection[str], elsewhere: Elsewhere = COVERED_ELSEWHERE
) -> Iterator[str]:
    """Yield every module without a test, and every entry or test file that is out of place."""
    rooms = {room_of(module) for module in modules} - {""}
    tested = {module_of(test, modules) for test in tests}
    for module in sorted(modules):
        if module in tested or module in elsewhere or room_of(module) in elsewhere:
            continue
        yield f"{module} has no test"
    for entry, (place, reason) in elsewhere.items():
        if entry not in modules and entry not in rooms:
            yield f"{entry} is listed, but gone"
        elif entry in tested:
            yield f"{entry} is listed, but has a test of its own"
        if not reason:
            yield f"{entry} is listed without a reason"
        if place not in tests and not any(test.startswith(f"{place}/") for test in tests):
            yield f"{entry} is covered by {place}, which is gone"
    for test in sorted(tests):
        room = room_of(test).removeprefix("tests/")
        if room not in rooms or room in elsewhere or test in ABOUT_THE_ROOM:
            continue
        if module_of(test, modules) is None:
            yield f"{test} is about no module"


def test_every_module_has_a_test() -> None:
    modules, tests = read_modules(), read_tests()
    assert len(modules) > 100
    assert list(gaps(modules, tests)) == []
    assert set(ABOUT_THE_ROOM) <= tests


@pytest.mark.parametrize(
    ("module", "test", "entry", "expected"),
    [
        ("aio/newcomer", "", {}, "aio/newcomer has no test"),
        ("newcomer", "", {}, "newcomer has no test"),
        ("newcomer", "tests/elsewhere/test_newcomer.py", {}, "newcomer has no test"),
        # Not the test of a module whose name only begins alike.
        ("aio/server_thing", "tests/aio/test_server.py", {}, "aio/server_thing has no test"),
        ("aio/accep", "", {}, "aio/accep has no test"),
        ("", "tests/aio/test_nothing.py", {}, "tests/aio/test_nothing.py is about no module"),
        (
            "",
            "",
            {"aio/gone": ("tests/aio/test_server.py", "why")},
            "aio/gone is listed, but gone",
        ),
        (
            "",
            "",
            {"aio/server": ("tests/aio/test_client.py", "why")},
            "aio/server is listed, but has a test of its own",
        ),
        (
            "aio/newcomer",
            "",
            {"aio/newcomer": ("tests/aio/test_gone.py", "why")},
            "aio/newcomer is covered by tests/aio/test_gone.py, which is gone",
        ),
        (
            "aio/newcomer",
            "",
            {"aio/newcomer": ("tests/aio/test_server.py", "")},
            "aio/newcomer is listed without a reason",
        ),
    ],
)
def test_a_planted_gap_is_found(
    module: str, test: str, entry: dict[str, tuple[str, str]], expected: str
) -> None:
    modules = read_modules() | {module} - {""}
    tests = read_tests() | {test} - {""}
    assert list(gaps(modules, tests, {**COVERED_ELSEWHERE, **entry})) == [expected]


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("tests/aio/test_server.py", "aio/server"),
        ("tests/aio/test_server_handlers.py", "aio/server"),
        ("tests/aio/test_server_connection.py", "aio/server_connection"),
        ("tests/aio/test_server_connection_address.py", "aio/server_connection"),
        ("tests/aio/test_servers.py", None),
        ("tests/sync/test_server.py", None),
        ("tests/test_settings.py", "settings"),
    ],
)
def test_a_test_file_is_about_one_module(test: str, expected: str | None) -> None:
    assert module_of(test, {"aio/server", "aio/server_connection", "settings"}) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", False),
        ('"""A docstring."""\n', False),
        ('"""A docstring."""\nfrom .broker import Broker\n\n__all__ = ["Broker"]\n', False),
        ("LIMIT = 5\n", True),
        ("def install() -> None: ...\n", True),
        ("if __debug__:\n    import this\n", True),
    ],
)
def test_only_a_package_with_code_of_its_own_needs_a_test(source: str, expected: bool) -> None:
    assert has_code(source) is expected
