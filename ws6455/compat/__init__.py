"""The API of `websockets` 8 to 17: programs written for that package run on ws6455 unchanged.

``python -m ws6455 run program.py`` runs a program. :func:`install` does the same from code; call
it before the first ``import websockets``. :mod:`ws6455.compat.names` is the table of names. The
other modules are subclasses and adapters for the names that have another form in the core.
`uvicorn.protocols.websockets` is replaced by :mod:`ws6455.uvicorn`. A child process that starts its
own Python imports the installed `websockets`.
"""

from .finder import install, uninstall
from .program import run_program

__all__ = ["install", "run_program", "uninstall"]
