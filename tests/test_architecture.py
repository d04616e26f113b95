"""docs/architecture.md agrees with the code: its files, names, drawing and table of places."""

import ast
import builtins
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.places import PLACES
from docs import states
from ws6455.protocol.states import CLOSED, CLOSING, OPEN, STEPS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"

FILE = re.compile(r"(?:ws6455|tests|benchmarks|docs)/[\w/]+\.py")
PLACE = re.compile(rf"({FILE.pattern}):([\w.]+)")
MEMBER = re.compile(r"([A-Z]\w+)\.(\w+)")
NAME = re.compile(r"[A-Z]\w+")
TEST = re.compile(r"test_\w+")
COMMAND = re.compile(r"python -m ((?:benchmarks|docs)\.\w+)")


def spans(page: str) -> list[str]:
    """List the inline code of a page."""
    without_blocks = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", without_blocks)


# The names of the source -----------------------------------------------------------------


def targets(node: ast.AST) -> Iterator[str]:
    """Yield the names, or the attributes of `self`, that a statement assigns to."""
    found = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        found = [node.target]
    for target in found:
        for part in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(part, ast.Name):
                yield part.id
            elif isinstance(part, ast.Attribute) and ast.unparse(part.value) == "self":
                yield part.attr


@functools.cache
def names_of(path: Path) -> dict[str, set[str]]:
    """Map each global name of a module to its members; only classes have any."""
    names: dict[str, set[str]] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            members = names[node.name] = set()
            for part in ast.walk(node):
                if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                    members.add(part.name)
                members.update(targets(part))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names[node.name] = set()
        else:
            names.update((target, set()) for target in targets(node))
    return names


@functools.cache
def names_of_the_library() -> dict[str, set[str]]:
    names: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "ws6455").rglob("*.py"):
        for name, members in names_of(path).items():
            names[name] |= members
    return names


@functools.cache
def names_of_tests() -> set[str]:
    return {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8"))
    }


def is_there(span: str) -> bool:
    """Return False if inline code is a file, a name or a command that does not exist."""
    library = names_of_the_library()
    if match := PLACE.fullmatch(span):
        path, name = ROOT / match[1], match[2]
        known = names_of(path) if path.exists() else {}
        first, _, member = name.partition(".")
        return first in known and (not member or member in known[first])
    if FILE.fullmatch(span):
        return (ROOT / span).exists()
    if match := MEMBER.fullmatch(span):
        return match[2] in library.get(match[1], ())
    if NAME.fullmatch(span) and span != "NAME":
        return span in library or hasattr(builtins, span)
    if TEST.fullmatch(span):
        return span in names_of_tests()
    if match := COMMAND.fullmatch(span):
        return (ROOT / match[1].replace(".", "/")).with_suffix(".py").exists()
    return True


def test_every_file_and_name_of_the_page_exists() -> None:
    found = spans(PAGE.read_text(encoding="utf-8"))
    for kind in (PLACE, FILE, MEMBER, NAME, TEST, COMMAND):
        assert any(kind.fullmatch(span) for span in found)
    assert [span for span in found if not is_there(span)] == []


@pytest.mark.parametrize(
    "span",
    [
        "ws6455/protocol/nowhere.py",
        "ws6455/protocol/receiver.py:Receiver.nothing",
        "ws6455/protocol/receiver.py:Protocol.send_message",
        "ws6455/protocol/receiver.py:nothing",
        "ws6455/nowhere.py:Receiver",
        "tests/test_nowhere.py",
        "Receiver.send_message",
        "Nobody.receive",
        "Nobody",
        "test_of_nothing",
        "python -m benchmarks.nothing",
    ],
)
def test_a_name_that_does_not_exist_is_found(span: str) -> None:
    assert not is_there(span)


@pytest.mark.parametrize(
    "span",
    [
        "Protocol.violation",
        "Receiver.reader",
        "CLOSING",
        "STEPS",
        "python -m docs.states",
        "recv()",
    ],
)
def test_a_name_that_exists_is_none_to_report(span: str) -> None:
    assert is_there(span)


def test_inline_code_is_found_outside_blocks() -> None:
    assert spans("`a` and\n```\n`b`\n```\n`c`") == ["a", "c"]


# The drawing -----------------------------------------------------------------------------


def test_the_page_shows_the_table_of_states() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert states.updated(page) == page, "run python -m docs.states"


@pytest.mark.parametrize(
    "steps",
    [
        {**STEPS, CLOSING: (OPEN, CLOSED)},
        {**STEPS, OPEN: (CLOSING,)},
        {state: afters for state, afters in STEPS.items() if state is not CLOSING},
    ],
    ids=["a step more", "a step less", "a state less"],
)
def test_another_table_gives_another_page(steps: states.Steps) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert states.updated(page, steps) != page


def test_every_step_has_its_event() -> None:
    assert set(states.LABELS) == {(state, after) for state in STEPS for after in STEPS[state]}


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        states.updated("# Architecture\n")


def test_the_command_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "PAGE", tmp_path / "page.md")
    states.PAGE.write_text(f"before\n{states.START}old\n{states.END}after\n")
    assert states.main() == 0
    assert states.PAGE.read_text() == (
        f"before\n{states.START}{states.drawing()}{states.END}after\n"
    )


# The table of places ---------------------------------------------------------------------


def test_the_page_has_a_row_for_every_place_that_is_measured() -> None:
    rows = re.findall(r"^\| ([^|]+) \| `ws6455/([^`|]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert rows == [(place.name, place.where) for place in PLACES]
