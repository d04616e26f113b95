"""The seam above `protocol`: other folders drive a connection without I/O by its methods.

Nobody outside the folder assigns an attribute of a protocol or of its parts, or changes a
container in one. Reading is allowed.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ws6455

PACKAGE = Path(ws6455.__file__).parent
# Names by which other folders refer to a protocol, or to its queue.
PROTOCOLS = {"protocol", "_protocol", "queue", "_queue"}
# Methods that change a list, a deque, a dict, a set or a bytearray.
MUTATORS = {
    *("append", "appendleft", "extend", "extendleft", "insert", "add", "setdefault", "update"),
    *("pop", "popleft", "popitem", "remove", "discard", "clear", "sort", "reverse", "rotate"),
}
# Classes of a protocol; `self` in a class derived from one is a protocol, too.
CLASSES = {"Protocol", "ClientProtocol", "ServerProtocol", "OpeningProtocol"}


def read_sources() -> dict[str, str]:
    """Map each module outside `protocol` to its source."""
    return {
        str(path.relative_to(PACKAGE)): path.read_text()
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "protocol"
    }


class Seam(ast.NodeVisitor):
    """Collects what breaks the rule in one module."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._aliases: set[str] = set()  # names bound to an attribute of a protocol
        self._in_protocol_class = False

    def is_protocol(self, node: ast.AST) -> bool:
        """Return True for ``protocol``, ``self.protocol``, ``x.protocol.queue`` and their kin."""
        if isinstance(node, ast.Name):
            return node.id in PROTOCOLS or (node.id == "self" and self._in_protocol_class)
        return isinstance(node, ast.Attribute) and node.attr in PROTOCOLS

    def is_inside(self, node: ast.AST) -> bool:
        """Return True for an attribute of a protocol, however deep, and for a name of one."""
        while isinstance(node, ast.Subscript):
            node = node.value
        if ast.unparse(node) in self._aliases:
            return True
        if isinstance(node, ast.Attribute):
            if node.attr in PROTOCOLS and not self.is_protocol(node.value):
                return False  # the protocol itself: an attribute of its owner
            return self.is_protocol(node.value) or self.is_inside(node.value)
        return False

    def report(self, node: ast.stmt | ast.expr) -> None:
        """Note a breach."""
        self.found.append(f"{node.lineno}: {ast.unparse(node)}")

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Remember whether `self` is a protocol."""
        outer = self._in_protocol_class
        # `typing.Protocol`, alone, describes an interface; asyncio has protocols of its own.
        bases = [base for b in node.bases if not (base := ast.unparse(b)).startswith("asyncio.")]
        names = {base.rpartition(".")[2] for base in bases}
        self._in_protocol_class = bool(names & CLASSES) and bases != ["Protocol"]
        self.generic_visit(node)
        self._in_protocol_class = outer

    def targets(self, node: ast.stmt) -> Iterator[ast.expr]:
        """Yield what a statement assigns to or deletes."""
        if isinstance(node, ast.Assign | ast.Delete):
            for target in node.targets:
                yield from target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            yield node.target

    def generic_visit(self, node: ast.AST) -> None:
        """Look at assignments, deletions and calls of methods that change a container."""
        if isinstance(node, ast.Assign | ast.Delete | ast.AugAssign | ast.AnnAssign):
            for target in self.targets(node):
                if self.is_inside(target) and not isinstance(target, ast.Name):
                    self.report(node)
            self.note_alias(node)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in MUTATORS
            and self.is_inside(node.func.value)
        ) or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"setattr", "delattr"}
            and self.is_protocol(node.args[0])
        ):
            self.report(node)
        super().generic_visit(node)

    def note_alias(self, node: ast.stmt) -> None:
        """Follow ``messages = protocol.queue.messages`` and ``self._messages = ...``."""
        if isinstance(node, ast.Assign) and self.is_inside(node.value):
            self._aliases.update(ast.unparse(target) for target in node.targets)


def breaches(source: str) -> list[str]:
    """List the lines of a module that break the rule."""
    seam = Seam()
    seam.visit(ast.parse(source))
    return seam.found


def test_nobody_reaches_into_a_protocol() -> None:
    sources = read_sources()
    assert len(sources) > 80
    found = {name: lines for name, text in sources.items() if (lines := breaches(text))}
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        "self.protocol.violation = None",
        "protocol.handshake_exc = exc",
        "connection.protocol.subprotocol = subprotocol",
        "self.protocol.eof_due += 1",
        "protocol.first, other = 1, 2",
        "del protocol.pongs_due[:-1]",
        "protocol.writes[0] = b''",
        "protocol.writes.append(data)",
        "self._protocol.writes.clear()",
        "self._queue.messages.popleft()",
        "connection.protocol.queue.fragments = ()",
        "messages = protocol.queue.messages\nmessages.popleft()",
        "self._messages = protocol.queue.messages\nself._messages.append(x)",
        "setattr(protocol, 'state', OPEN)",
        "class P(protocol.Protocol):\n    def send(self, frame):\n        self.writes += frame",
        "class P(server.ServerProtocol, Protocol):\n    def f(self):\n        self._eof = True",
    ],
)
def test_a_breach_is_found(line: str) -> None:
    assert breaches(line)


@pytest.mark.parametrize(
    "line",
    [
        "self.protocol = protocol",
        "self._protocol = protocol",
        "self._queue = protocol.queue",
        "protocol.send_close(1000)",
        "frames = protocol.take_control_frames()",
        "if protocol.violation is not None: self.cause = protocol.violation",
        "writes = protocol.take_writes()\nwrites.append(b'')",
        "queued = len(self._queue.messages)",
        "class Output(Protocol):\n    def f(self):\n        self.x = 1",
        "class Stream(asyncio.Protocol):\n    def f(self):\n        self.x = 1",
    ],
)
def test_driving_by_methods_and_reading_are_no_breach(line: str) -> None:
    assert breaches(line) == []
