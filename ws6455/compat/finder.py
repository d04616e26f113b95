"""Import hook that finds ``websockets`` and its submodules, made from the table of names.

PEP 302 (finders), PEP 562 (module attributes on first use).
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

from .names import ABSENT, COMMON, MORE, PUBLIC, USERS

__all__ = ["install", "uninstall"]

ROOT = "websockets"
_MAIN = f"{ROOT}.__main__"


@functools.cache
def _targets(module: str) -> dict[str, tuple[str, str]]:
    """Map each name of a module to the module and the name in ws6455."""
    targets = {}
    common = COMMON if module in USERS else {}
    for table in (common, MORE.get(module, {}), PUBLIC.get(module, {})):
        for source, names in table.items():
            for name in names.split():
                theirs, _, ours = name.partition("=")
                targets[theirs] = source, ours or theirs
    return targets


def _submodules(module: str) -> list[str]:
    """List the modules directly below a module."""
    prefix = f"{module}."
    return [
        name.removeprefix(prefix)
        for name in PUBLIC
        if name.startswith(prefix) and "." not in name.removeprefix(prefix)
    ]


def _why_absent(module: str, name: str) -> str:
    """Return an error text for a missing name, with the reason or the nearest name."""
    full_name = f"{module}.{name}"
    for known, reason in ABSENT.items():
        if full_name == known or full_name.startswith(f"{known}."):
            return f"ws6455 does not offer {known}: {reason}"
    text = f"ws6455 does not offer {full_name}"
    elsewhere = [other for other in PUBLIC if name in _targets(other)]
    if elsewhere:
        return f"{text}; it is {elsewhere[0]}.{name}"
    nearest = difflib.get_close_matches(name, [*_targets(module), *_submodules(module)], 1)
    return f"{text}; the nearest name is {module}.{nearest[0]}" if nearest else text


class CompatModule(types.ModuleType):
    """A module of `websockets` whose attributes are looked up in ws6455 on first use."""

    def __getattr__(self, name: str) -> Any:
        module = self.__name__
        if name in _submodules(module):
            return importlib.import_module(f"{module}.{name}")
        if name not in _targets(module):
            raise AttributeError(_why_absent(module, name), name=name, obj=self)
        source, ours = _targets(module)[name]
        value = getattr(importlib.import_module(source), ours)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        names = (*super().__dir__(), *_targets(self.__name__), *_submodules(self.__name__))
        return sorted(set(names))


class CompatFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finder and loader of the modules of `websockets`."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of a module of `websockets`; None for other modules.

        Raises:
            ModuleNotFoundError: if `websockets` has no such module, or ws6455 does not offer it.
        """
        if fullname in PUBLIC:
            # Every module is a package. For a missing name in ``from websockets.x import name``
            # Python then looks for a submodule, and this method raises a better error.
            return importlib.machinery.ModuleSpec(
                fullname, self, origin="ws6455.compat", is_package=fullname != _MAIN
            )
        module, _, name = fullname.rpartition(".")
        if module in PUBLIC:
            # Python ignores the error if its `name` is that of the module it looks for.
            raise ModuleNotFoundError(_why_absent(module, name))
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """Create a module."""
        return CompatModule(spec.name, f"Names of {spec.name}, as ws6455 has them.")

    def get_code(self, fullname: str) -> types.CodeType | None:
        """Return the code of ``python -m websockets``; None for other modules."""
        if fullname != _MAIN:
            return None
        return compile("from websockets.cli import main; main()", fullname, "exec")

    def exec_module(self, module: types.ModuleType) -> None:
        """Set the module's ``__all__``."""
        names = [name for text in PUBLIC[module.__name__].values() for name in text.split()]
        module.__dict__["__all__"] = [name.partition("=")[0] for name in names]


_FINDER = CompatFinder()


def install() -> None:
    """Make ``import websockets`` and imports of its submodules find ws6455.

    A second call has no effect.

    Raises:
        RuntimeError: if another `websockets` is imported already. The modules that imported it
            would continue to use it.
    """
    if _FINDER in sys.meta_path:
        return
    if ROOT in sys.modules:
        raise RuntimeError(
            "another websockets is imported already: call ws6455.compat.install() before that"
        )
    sys.meta_path.insert(0, _FINDER)


def uninstall() -> None:
    """Undo :func:`install`: later imports find the installed `websockets`."""
    if _FINDER not in sys.meta_path:
        return
    sys.meta_path.remove(_FINDER)
    for name, module in list(sys.modules.items()):
        if isinstance(module, CompatModule):
            del sys.modules[name]
