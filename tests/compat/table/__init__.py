"""What `websockets` 8 to 17 documents, as data: one file per part of its API.

Each file maps the names of modules to a :class:`~tests.compat.table.rows.Module`. The tables hold
what a program can write against: names, parameters with their defaults, members, values. They are
facts about `websockets`, not about this library; tests/compat/test_table.py holds the two against
each other.
"""

from .coroutines import MODULES as COROUTINES
from .data_types import MODULES as DATA_TYPES
from .exceptions import MODULES as EXCEPTIONS
from .extensions import MODULES as EXTENSIONS
from .legacy import MODULES as LEGACY
from .low_level import MODULES as LOW_LEVEL
from .rows import Module
from .sans_io import MODULES as SANS_IO
from .threads import MODULES as THREADS
from .top_level import MODULES as TOP_LEVEL

__all__ = ["MODULES", "Module"]

MODULES: dict[str, Module] = {
    **TOP_LEVEL,
    **COROUTINES,
    **THREADS,
    **SANS_IO,
    **DATA_TYPES,
    **LOW_LEVEL,
    **EXCEPTIONS,
    **EXTENSIONS,
    **LEGACY,
}
