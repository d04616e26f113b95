"""Writes docs/reference.md from the docstrings: `python -m docs.build_reference`.

The page has every public name: those of `MODULES`, in the order of `GROUPS`. A member is described
where it is first met; the classes that inherit it say from which class.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from textwrap import indent

from . import command_line
from .docstrings import markdown
from .source import Definition, exports, resolve, split

__all__ = ["MODULES", "PAGE", "entries", "page", "problems"]

PAGE = Path(__file__).parent / "reference.md"

# The modules whose `__all__` is the public API.
MODULES = [
    "ws6455",
    "ws6455.sync.client",
    "ws6455.sync.server",
    "ws6455.sync.router",
    "ws6455.testing",
    "ws6455.testing.fixtures",
    "ws6455.compat",
    "ws6455.uvicorn",
    "ws6455.hub",
]

# Each group's introduction and its names. A name without a module is one of the top level's; `*`
# stands for all of a module, and of the top level for what no other group has.
GROUPS = {
    "Clients": ("", "connect unix_connect ClientConnection"),
    "Servers": (
        "",
        "serve unix_serve Server ServerConnection accept basic_auth route unix_route Router",
    ),
    "Connections": ("What the connections of both ends offer.", "ws6455.aio.connection:Connection"),
    "Broadcasting": ("", "broadcast"),
    "Without input and output": (
        "The protocol alone: bytes go in, events and bytes come out.",
        "Protocol ClientProtocol ServerProtocol Side State",
    ),
    "Data types": ("", "*"),
    "Exceptions": ("They are in `ws6455.exceptions` as well.", "ws6455.exceptions:*"),
    "Threads": (
        "The same with threads. What is not described here is as above, without `await`.",
        "ws6455.sync.client:* ws6455.sync.server:* ws6455.sync.router:* "
        "ws6455.sync.connection:Connection",
    ),
    "Several processes": ("", "ws6455.hub:*"),
    "Testing": ("", "ws6455.testing:* ws6455.testing.fixtures:*"),
    "Compatibility": ("", "ws6455.compat:* ws6455.uvicorn:*"),
}


COMMAND_LINE = "Command line"

# Methods that other modules of the package call, or asyncio, or uvicorn; no program does.
INTERNAL = """
    serve.new_connection serve.expects_proxy_header serve.proxy_protocol
    Server.new_stream Server.new_proxy_header Server.new_tls_acceptor Server.forget Server.run
    Server.adopt Server.reject Server.replace
    Connection.attach Connection.receive Connection.receive_in_place Connection.receive_eof
    Connection.connection_lost Connection.pause_writing Connection.resume_writing
    Connection.go_away Connection.send_shared Connection.start_closing Connection.abort
    Connection.ask_watcher Connection.sending_closed
    Connection.handle_timer Connection.unwatched Connection.handle_events Connection.socket_lost
    Connection.call_failed
    ClientConnection.connection_lost
    ServerConnection.open_by ServerConnection.connection_lost ServerConnection.leave
    Protocol.send_message Protocol.send_shared Protocol.note_cause
    Protocol.take_control_frames Protocol.take_writes Protocol.take_eof Protocol.clear_writes
    Protocol.fail_violation Protocol.drop_messages Protocol.hold_pongs
    Protocol.receive_in_place Protocol.receive_buffer
    ClientProtocol.drop_handshake_exc ServerProtocol.drop_handshake_exc
    ServerProtocol.reject_error ServerProtocol.use_subprotocol
    Link.pause Link.until_action Link.passed
    MemoryTransport.* WebSocketProtocol.*
"""


def internal(definition: Definition, member: Definition) -> bool:
    """Return whether a method, defined or inherited, is not for programs."""
    names = {f"{definition.name}.{member.name}", f"{definition.name}.*"}
    return not names.isdisjoint(INTERNAL.split())


@dataclass
class Entry:
    """A name on the page.

    Attributes:
        title: its heading, as a program writes it after ``ws6455.``.
        definition: where it is defined.
        group: its group's heading.
    """

    title: str
    definition: Definition
    group: str

    @property
    def slug(self) -> str:
        """The anchor that its heading gets."""
        return slug(self.title)


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def entries() -> list[Entry]:
    """Return every name of the page, in its order."""
    taken = {
        definition
        for _, names in GROUPS.values()
        for spec in names.split()
        if spec != "*"
        for definition in named(spec, set())
    }
    return [
        Entry(title(definition), definition, group)
        for group, (_, names) in GROUPS.items()
        for spec in names.split()
        for definition in named(spec, taken if spec == "*" else set())
    ]


def named(spec: str, besides: set[Definition]) -> list[Definition]:
    """Return what a word of a group stands for, without what is elsewhere."""
    module, _, name = spec.rpartition(":")
    module = module or "ws6455"
    found = []
    for each in exports(module) if name == "*" else [name]:
        definition = resolve(module, each)
        if definition is not None and definition not in besides and definition not in found:
            found.append(definition)
    return found


def title(definition: Definition) -> str:
    """Return a name's heading: short for the top level's, else with its module."""
    for module in ["ws6455", *MODULES]:
        for name in exports(module):
            if resolve(module, name) == definition:
                return f"{module}.{name}".removeprefix("ws6455.")
    if definition.module.startswith("ws6455.aio"):
        return definition.name
    return f"{definition.module}.{definition.name}".removeprefix("ws6455.")


class Page:
    """The page as it is written.

    Args:
        names: what it has.
    """

    def __init__(self, names: list[Entry]) -> None:
        self.names = names
        self.entries = {entry.definition: entry for entry in names}
        # The definitions that are described, with their anchors; members where first met.
        self.anchors = {entry.definition: entry.slug for entry in names}
        self.members: dict[str, list[Definition]] = {}
        for entry in names:
            found: dict[str, Definition] = {}
            for owner in self.lineage(entry.definition):
                for member in owner.members():
                    if member not in self.anchors and not internal(entry.definition, member):
                        found.setdefault(member.name, member)
            self.members[entry.title] = list(found.values())
            for member in found.values():
                self.anchors[member] = slug(f"{entry.title}.{member.name}")

    def text(self) -> str:
        """Return the whole page."""
        parts = [
            "# Reference",
            "Every public name, written from the docstrings by `python -m docs.build_reference`. "
            "How the parts work together is in the [guide](guide.md).",
            self.contents(),
        ]
        for group, (introduction, _) in GROUPS.items():
            parts += [f"## {group}", introduction]
            for entry in self.names:
                if entry.group == group:
                    parts += self.entry(entry)
        parts += [f"## {COMMAND_LINE}", *command_line.described()]
        return "\n\n".join(part for part in parts if part) + "\n"

    def contents(self) -> str:
        """Return the list of the groups and their names."""
        lines = []
        for group in GROUPS:
            names = ", ".join(
                f"[`{entry.title}`](#{entry.slug})" for entry in self.names if entry.group == group
            )
            lines.append(f"- [{group}](#{slug(group)}): {names}")
        commands = ", ".join(
            f"[`{command}`](#{slug(f'python -m ws6455 {command}')})"
            for command in command_line.COMMANDS
        )
        lines.append(f"- [{COMMAND_LINE}](#{slug(COMMAND_LINE)}): {commands}")
        return "\n".join(lines)

    def entry(self, entry: Entry) -> Iterator[str]:
        """Yield the parts of a name's description."""
        definition = entry.definition
        yield f"### `{entry.title}`"
        yield f"```python\n{definition.signature()}\n```"
        yield self.markdown(definition, definition)
        if not isinstance(definition.node, ast.ClassDef):
            return
        if values := definition.values():
            yield "\n".join(f"- `{name}` = {value}" for name, value in values)
        for base in definition.bases():
            if base in self.entries:
                yield f"Inherits from {self.link(base.name, base)}."
                break
        members = self.members[entry.title]
        yield self.attributes(members, definition)
        for member in members:
            if not member.is_property():
                yield f"#### `{entry.title}.{member.name}`"
                yield f"```python\n{member.signature()}\n```"
                yield self.markdown(member, definition)

    def lineage(self, definition: Definition) -> Iterator[Definition]:
        """Yield a class and its bases, as far as they are not on the page themselves."""
        if isinstance(definition.node, ast.ClassDef):
            yield definition
            yield from takewhile(lambda base: base not in self.entries, definition.bases())

    def attributes(self, members: list[Definition], scope: Definition) -> str:
        """Return the list of a class's properties and attributes."""
        found = [
            (member.name, member.returns(), member.docstring)
            for member in members
            if member.is_property()
        ]
        for owner in self.lineage(scope):
            found += owner.attributes()
        lines: dict[str, str] = {}
        for name, kind, text in found:
            shown = f"`{name}: {kind}`" if kind else f"`{name}`"
            description = indent(markdown(text, self.linker(scope)), "  ").strip()
            lines.setdefault(name, f"- {shown}: {description}")
        return "\n".join(["**Properties**\n", *lines.values()]) if lines else ""

    def markdown(self, described: Definition, scope: Definition) -> str:
        """Return the docstring of a name or of a member of one."""
        return markdown(described.docstring, self.linker(scope))

    def linker(self, scope: Definition) -> Callable[[str], str]:
        """Return what makes links of names, those of one definition's module first."""
        return lambda name: self.link(name, scope)

    def link(self, name: str, scope: Definition) -> str:
        """Return a name as a link to its description; as code if the page has none."""
        shown = re.sub(r"^ws6455\.([a-z_]+\.)*", "", name)
        for definition in meanings(name, scope):
            if definition in self.anchors:
                return f"[`{shown}`](#{self.anchors[definition]})"
        return f"`{shown}`"


def meanings(name: str, scope: Definition) -> Iterator[Definition]:
    """Yield what a name in a docstring may stand for, the nearest first.

    Args:
        name: ``recv``, ``Connection.recv`` or ``ws6455.aio.connection.Connection.recv``.
        scope: the function or the class with the docstring.
    """
    module, parts = split(name)
    for owner in () if module else (scope, *scope.bases()):
        yield from (member for member in owner.members() if parts == [member.name])
    for place in (module or scope.module, "ws6455"):
        definition = resolve(place, parts[0]) if parts else None
        if definition is not None and len(parts) == 1:
            yield definition
        elif definition is not None:
            for owner in (definition, *definition.bases()):
                yield from (member for member in owner.members() if parts[1:] == [member.name])


def problems() -> list[str]:
    """Return the public functions, classes and members without a docstring."""
    found = []
    for entry in entries():
        definition = entry.definition
        if isinstance(definition.node, ast.Assign | ast.AnnAssign):
            continue
        if not definition.docstring:
            found.append(entry.title)
        found += [
            f"{entry.title}.{member.name}"
            for member in definition.members()
            if not member.docstring
        ]
    return found


def page() -> str:
    """Return the page."""
    return Page(entries()).text()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
