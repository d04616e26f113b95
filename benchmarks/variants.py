"""Copies of the library in which some lines are replaced, to measure the gain of these lines.

A copy is a package of its own with a name of its own: its modules, classes, caches and inline
caches are not shared with the library or with another copy. So both can be measured in turns in one
process.
"""

import ast
import functools
import importlib
import importlib.machinery
import importlib.util
import itertools
import marshal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import ws6455

__all__ = ["Edits", "Library", "variant"]

PACKAGE = Path(ws6455.__file__).parent

# Lines to replace, by module: pairs of old and new text, in the form that `ast.unparse` writes.
Edits = Mapping[str, Sequence[tuple[str, str]]]
# A function that returns a module of the library, or of a copy, by its name within the package.
Library = Callable[[str], Any]

_numbers = itertools.count(1)


@contextmanager
def variant(
    edits: Edits,
    names: Mapping[str, Mapping[str, object]],
    slots: bool = True,
) -> Iterator[Library]:
    """Import a copy of the library.

    Args:
        edits: lines to replace.
        names: global names to replace after the import, by module.
        slots: False removes `__slots__` from every class.

    Raises:
        LookupError: if an old text does not occur exactly once in its module.
    """
    name = f"ws6455_variant_{next(_numbers)}"
    finder = _Finder(name, edits, slots)
    sys.meta_path.insert(0, finder)

    def library(module: str) -> ModuleType:
        return importlib.import_module(f"{name}.{module}")

    try:
        importlib.import_module(name)
        for module in edits:
            library(module)
        for module, replaced in names.items():
            vars(library(module)).update(replaced)
        yield library
    finally:
        sys.meta_path.remove(finder)
        for module in [m for m in sys.modules if m.partition(".")[0] == name]:
            del sys.modules[module]


class _Finder:
    """Finder of a copy's modules, for `sys.meta_path`."""

    def __init__(self, name: str, edits: Edits, slots: bool) -> None:
        self._name = name
        self._edits = edits
        self._slots = slots

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        top, _, module = fullname.partition(".")
        if top != self._name:
            return None
        file = PACKAGE.joinpath(*module.split(".")) if module else PACKAGE
        folder = file.is_dir()
        file = file / "__init__.py" if folder else file.with_suffix(".py")
        if not file.exists():
            return None
        return importlib.util.spec_from_file_location(
            fullname,
            file,
            loader=_Loader(fullname, str(file), self._edits.get(module, ()), self._slots),
            submodule_search_locations=[str(file.parent)] if folder else None,
        )


class _Loader(importlib.machinery.SourceFileLoader):
    """Loader that compiles a module with its edits, and never reads or writes compiled files."""

    def __init__(
        self, fullname: str, path: str, edits: Sequence[tuple[str, str]], slots: bool
    ) -> None:
        super().__init__(fullname, path)
        self._edits = edits
        self._slots = slots

    def get_code(self, fullname: str) -> CodeType:
        source = _source(self.path)
        for old, new in self._edits:
            count = source.count(old)
            if count != 1:
                raise LookupError(f"{self.path}: {old!r} occurs {count} times, not once")
            source = source.replace(old, new)
        # Not one code object for all copies: it has the inline caches of the interpreter.
        code = marshal.loads(_compile(source, self.path, self._slots))
        assert isinstance(code, CodeType)
        return code


@functools.cache
def _source(path: str) -> str:
    """Return a module's source without comments, in the form that `ast.unparse` writes."""
    return ast.unparse(ast.parse(Path(path).read_text(encoding="utf-8")))


@functools.cache
def _compile(source: str, path: str, slots: bool) -> bytes:
    tree: ast.Module = ast.parse(source)
    if not slots:
        tree = _WithoutSlots().visit(tree)
    return marshal.dumps(compile(tree, path, "exec", dont_inherit=True))


class _WithoutSlots(ast.NodeTransformer):
    """Removes the assignments of `__slots__`."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Remove it from a class."""
        body = [statement for statement in node.body if not self._is_slots(statement)]
        node.body = body or [ast.Pass(lineno=node.lineno, col_offset=node.col_offset)]
        return node

    @staticmethod
    def _is_slots(statement: ast.stmt) -> bool:
        return (
            isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__slots__"
        )
