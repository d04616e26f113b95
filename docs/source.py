"""Reads the package's source: what a name stands for, its signature and its docstring.

Source and not objects: a default is then what stands there (`USER_AGENT`, not this machine's),
and the page is the same whichever Python and extras are installed.
"""

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Definition", "exports", "resolve", "split"]

ROOT = Path(__file__).parent.parent
WIDTH = 88

Function = ast.FunctionDef | ast.AsyncFunctionDef
Node = ast.ClassDef | Function | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class Definition:
    """Where a name is defined.

    Attributes:
        module: the module's dotted name.
        name: the name there.
        node: the class, function or assignment.
    """

    module: str
    name: str
    node: Node

    @property
    def docstring(self) -> str:
        """The docstring, or the ``#:`` comment above an assignment; empty if there is none."""
        if isinstance(self.node, ast.Assign | ast.AnnAssign):
            return comment_above(self.module, self.node.lineno)
        return ast.get_docstring(self.node) or ""

    def bases(self) -> Iterator["Definition"]:
        """Yield the base classes in the package, nearest first."""
        for base in self.node.bases if isinstance(self.node, ast.ClassDef) else []:
            if isinstance(base, ast.Subscript):
                base = base.value
            if isinstance(base, ast.Name) and (found := resolve(self.module, base.id)):
                yield found
                yield from found.bases()

    def is_property(self) -> bool:
        """Return whether a member is read like an attribute."""
        return isinstance(self.node, Function) and bool(
            {"property", "cached_property"} & decorators(self.node)
        )

    def members(self) -> Iterator["Definition"]:
        """Yield the public methods and properties that the class itself defines."""
        for node in self.node.body if isinstance(self.node, ast.ClassDef) else []:
            if (
                isinstance(node, Function)
                and not node.name.startswith("_")
                and not {"overload", "setter"} & decorators(node)
            ):
                yield Definition(self.module, node.name, node)

    def attributes(self) -> Iterator[tuple[str, str, str]]:
        """Yield (name, type, description) of the attributes that have a ``#:`` comment."""
        for node in ast.walk(self.node):
            if isinstance(node, ast.AnnAssign | ast.Assign):
                text = comment_above(self.module, node.lineno)
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                if text and isinstance(target, ast.Name | ast.Attribute):
                    name = target.id if isinstance(target, ast.Name) else target.attr
                    kind = self.written(node.annotation) if isinstance(node, ast.AnnAssign) else ""
                    yield name, kind, text

    def returns(self) -> str:
        """Return the type that a function returns, as it stands there."""
        assert isinstance(self.node, Function)
        return self.written(self.node.returns) if self.node.returns else ""

    def written(self, node: ast.expr | ast.stmt | ast.arg) -> str:
        """Return a part of the definition as it stands there, on one line."""
        assert node.end_lineno is not None
        lines = parsed(self.module)[1][node.lineno - 1 : node.end_lineno]
        # The columns count bytes.
        lines[-1] = lines[-1].encode()[: node.end_col_offset].decode()
        lines[0] = lines[0].encode()[node.col_offset :].decode()
        return " ".join(" ".join(lines).split())

    def signature(self) -> str:
        """Return the definition as a caller reads it, without its body."""
        node = self.node
        if isinstance(node, ast.Assign | ast.AnnAssign):
            return self.written(node)
        if isinstance(node, Function):
            return self.signature_of_function(node)
        return laid_out(node.name, self.arguments(), "")

    def signature_of_function(self, node: Function) -> str:
        """Return a function as it is called, and what that gives."""
        before, returns = called(node), self.returns()
        if coroutine := re.fullmatch(r"Coroutine\[Any, Any, (.+)\]", returns):
            before, returns = "await ", coroutine[1]
        elif before.endswith("with ") or is_fixture(node):
            returns = re.sub(r"^(Async)?Iterator\[(.+)\]$", r"\2", returns)
        if is_fixture(node):
            return f"{node.name}: {returns}"
        after = f" -> {returns}" if returns else ""
        return laid_out(f"{before}{node.name}", self.parameters(node), after)

    def arguments(self) -> list[str]:
        """Return the parameters of a class."""
        if self.values():
            return ["value"]
        for definition in (self, *self.bases()):
            assert isinstance(definition.node, ast.ClassDef)
            bases = [ast.unparse(base) for base in definition.node.bases]
            if "dataclass" in decorators(definition.node) or "NamedTuple" in bases:
                return [
                    definition.written(field)
                    for field in definition.node.body
                    if isinstance(field, ast.AnnAssign)
                ]
            for node in definition.node.body:
                # What only says how it is called has no constructor.
                made = "__call__" if "Protocol" in bases else "__init__"
                if isinstance(node, Function) and node.name == made:
                    return definition.parameters(node)
            if "Exception" in bases:
                return ["*args: object"]
        return []

    def parameters(self, node: Function) -> list[str]:
        """Return a function's parameters, each with its type and default, without `self`."""
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
        defaults += arguments.defaults
        found = [
            self.parameter(argument, default)
            for argument, default in zip(positional, defaults, strict=True)
            if argument.arg not in ("self", "cls")
        ]
        if arguments.vararg:
            found.append(f"*{self.written(arguments.vararg)}")
        elif arguments.kwonlyargs:
            found.append("*")
        found += map(self.parameter, arguments.kwonlyargs, arguments.kw_defaults)
        if arguments.kwarg:
            found.append(f"**{self.written(arguments.kwarg)}")
        return found

    def parameter(self, argument: ast.arg, default: ast.expr | None) -> str:
        """Return one parameter as it stands in the ``def``."""
        return self.written(argument) + (f" = {self.written(default)}" if default else "")

    def values(self) -> list[tuple[str, str]]:
        """Return (name, value) of the members of an enumeration."""
        assert isinstance(self.node, ast.ClassDef)
        if not any(ast.unparse(base).endswith("Enum") for base in self.node.bases):
            return []
        return [
            (self.written(node.targets[0]), self.written(node.value))
            for node in self.node.body
            if isinstance(node, ast.Assign)
        ]


def path_of(module: str) -> Path:
    """Return the file of a module of the package."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def parsed(module: str) -> tuple[ast.Module, list[str]]:
    """Return a module's tree and lines."""
    text = path_of(module).read_text(encoding="utf-8")
    return ast.parse(text), text.splitlines()


def exports(module: str) -> list[str]:
    """Return a module's ``__all__``."""
    for node in parsed(module)[0].body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    raise ValueError(f"{module} has no __all__")


@functools.cache
def resolve(module: str, name: str) -> Definition | None:
    """Follow a name through the imports to where the package defines it.

    Args:
        module: where the name is used.
        name: as it is called there.

    Returns:
        The definition; None if it is not in the package.
    """
    for node in parsed(module)[0].body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name == name and "overload" not in decorators(node):
                return Definition(module, name, node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if name in map(ast.unparse, targets):
                return Definition(module, name, node)
        elif isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                if name == (alias.asname or alias.name):
                    return resolve(imported(module, node), alias.name)
    return None


def split(path: str) -> tuple[str, list[str]]:
    """Return the module that a dotted path begins with, or "", and the names after it."""
    parts = path.split(".")
    if parts[0] != "ws6455":
        return "", parts
    count = len(parts)
    while not path_of(".".join(parts[:count])).exists():
        count -= 1
    return ".".join(parts[:count]), parts[count:]


def imported(module: str, node: ast.ImportFrom) -> str:
    """Return the module that a relative import names."""
    parts = module.split(".")
    if path_of(module).name == "__init__.py":
        parts.append("")
    return ".".join([*parts[: -node.level], *([node.module] if node.module else [])])


def decorators(node: ast.ClassDef | Function) -> set[str]:
    """Return the last names of the decorators, without their arguments."""
    plain = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
    return {ast.unparse(decorator).rpartition(".")[2] for decorator in plain}


def is_fixture(node: Function) -> bool:
    """Return whether pytest calls a function, and a test only names it."""
    return any(name.endswith("fixture") for name in decorators(node))


def called(node: Function) -> str:
    """Return what stands before a call of a function."""
    if "asynccontextmanager" in decorators(node):
        return "async with "
    if "contextmanager" in decorators(node):
        return "with "
    generates = any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in ast.walk(node))
    if isinstance(node, ast.AsyncFunctionDef):
        return "async for ... in " if generates else "await "
    return ""


def laid_out(name: str, arguments: list[str], returns: str) -> str:
    """Return a signature on one line, or with a line for each parameter."""
    line = f"{name}({', '.join(arguments)}){returns}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {argument}," for argument in arguments), f"){returns}"])


def comment_above(module: str, number: int) -> str:
    """Return the ``#:`` comment above a line."""
    lines = parsed(module)[1]
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.strip().startswith("#:"):
            break
        found.insert(0, line.strip().removeprefix("#:").strip())
    return " ".join(found)
