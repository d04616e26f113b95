"""The documented API of `websockets` 8 to 17 as data, one file for each part.

Each file maps module names to a :class:`~tests.compat.table.rows.Module`. The tables hold names,
parameters with their defaults, members and values. They are facts about `websockets`, not about
ws6455; tests/compat/test_table.py compares the two.
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
