"""The form of the tables: what one module of `websockets` offers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Module"]


@dataclass(frozen=True)
class Module:
    """What one module offers, in literal form.

    Lists of names are strings, with white space between the names. A callable is named by its
    name or by `Class.method`.

    Attributes:
        names: importable from the module, without any warning.
        deprecated: importable too, and these may warn.
        signatures: the parameters of callables as they stand in a ``def``, without `self`.
            Defaults are Python expressions, with the words of `SYMBOLS` in test_table.py.
        members: what classes have.
        attributes: what the live instances of classes have.
        parents: the bases of classes, each as ``module:Class``.
        values: what a name or a `Class.member` equals.
    """

    names: str = ""
    deprecated: str = ""
    signatures: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)
