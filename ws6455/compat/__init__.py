"""Programs written for `websockets`, of versions 8 to 17, run unchanged.

``python -m ws6455 run program.py`` runs one; :func:`install` does it from code, before the first
``import websockets``. :mod:`ws6455.compat.names` is the table of what they find; the other modules
are what in it is not simply ours: thin adapters for what changed its form between versions.
uvicorn, which adapts `websockets`, gets :mod:`ws6455.uvicorn`. Child processes that start a Python
of their own find the installed `websockets`.
"""

from .finder import install, uninstall
from .program import run_program

__all__ = ["install", "run_program", "uninstall"]
