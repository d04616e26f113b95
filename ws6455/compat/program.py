"""Programs on ws6455: unmodified ones as ``__main__``, and the command ``websockets``."""

from __future__ import annotations

import argparse
import asyncio
import atexit
import importlib.machinery
import os
import runpy
import sys
import types

from .finder import install
from .names import VERSION

__all__ = ["main", "run_program"]


def run_program(argv: list[str]) -> None:
    """Run a program as ``python program.py args`` or ``python -m module args`` does.

    Args:
        argv: the path of the program, or ``-m`` and the name of a module; then its arguments.

    Raises:
        SystemExit: if the program raises it; with status 2 if there is no program.
        Exception: any exception of the program.
    """
    install()
    if sys.version_info >= (3, 12):
        _provide_event_loop()
    if argv[:1] == ["-m"]:
        if len(argv) < 2:
            print("ws6455: -m needs the name of a module", file=sys.stderr)
            raise SystemExit(2)
        sys.argv = argv[1:]
        _put_first(os.getcwd())
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    elif argv:
        sys.argv = list(argv)
        _run_file(argv[0])
    else:
        print("ws6455: no program to run", file=sys.stderr)
        raise SystemExit(2)


def _provide_event_loop() -> None:
    """Set an event loop, so that ``asyncio.get_event_loop()`` returns it.

    Programs for versions up to 10 rely on that. Without a loop Python 3.12 warns, 3.14 raises.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    def close() -> None:
        if not loop.is_running():  # it may run in a daemon thread
            loop.close()

    atexit.register(close)  # not earlier: threads of the program may still use it


def _put_first(directory: str) -> None:
    """Put a directory first in the module search path, as Python does without ``-P``."""
    if not sys.flags.safe_path:
        sys.path[0] = directory


def _run_file(path: str) -> None:
    # runpy.run_path() would set other values of sys.argv[0] and __file__ than Python does, and
    # remove the module while threads and exit handlers of the program still use it.
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as exc:
        print(f"ws6455: can't open file {path!r}: {exc.strerror}", file=sys.stderr)
        raise SystemExit(2) from None
    full_path = os.path.abspath(path)
    module = types.ModuleType("__main__")
    module.__file__ = full_path
    module.__loader__ = importlib.machinery.SourceFileLoader("__main__", full_path)
    sys.modules["__main__"] = module
    _put_first(os.path.dirname(os.path.realpath(path)))
    # dont_inherit: the future statements of this module must not apply to the program.
    exec(compile(source, full_path, "exec", dont_inherit=True), module.__dict__)


def main(argv: list[str] | None = None) -> None:
    """Connect to a server and exchange messages with it, in the terminal.

    Args:
        argv: the arguments; the default is those of the process.

    Raises:
        SystemExit: with status 2 if there is no URI; else at the end.
    """
    parser = argparse.ArgumentParser(prog="websockets", description="Interactive client.")
    parser.add_argument("--version", action="version", version=f"websockets {VERSION}")
    parser.add_argument("--insecure", action="store_true", help="do not check the certificate")
    parser.add_argument("uri", metavar="<uri>", help="ws:// or wss://")
    arguments = parser.parse_args(argv)
    options = ["--insecure"] if arguments.insecure else []
    sys.argv = ["ws6455", "connect", *options, arguments.uri]
    runpy.run_module("ws6455", run_name="__main__", alter_sys=True)
