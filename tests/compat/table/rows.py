"""Row type of the tables: the API of one module of `websockets`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Module"]


@dataclass(frozen=True)
class Module:
    """The API of one module, in literal form.

    A list of names is a string with white space between the names. A callable is identified by its
    name or by `Class.method`.

    Attributes:
        names: names that can be imported without a warning.
        deprecated: names that can be imported, possibly with a warning.
        signatures: the parameters of callables as written in a ``def``, without `self`. Defaults
            are Python expressions with the names of `SYMBOLS` in test_table.py.
        members: the members of classes.
        attributes: the attributes of instances.
        parents: the bases of classes, each as ``module:Class``.
        values: the values of names, or of `Class.member`.
    """

    names: str = ""
    deprecated: str = ""
    signatures: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)
