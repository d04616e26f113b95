"""Run an unmodified program as ``__main__`` on ws6455, or the command ``websockets``."""

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
    """Run a program as ``python program.py args`` or ``python -m module args`` would.

    Args:
        argv: the path of the program, or ``-m`` and the name of a module; then its arguments.

    Raises:
        SystemExit: if the program says so; with 2 if there is none.
        Exception: whatever the program raises.
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
    """Let ``asyncio.get_event_loop()`` give a loop to a program that has started none.

    Programs up to version 10 count on it. Python 3.12 warns of it, 3.14 raises.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    def close() -> None:
        if not loop.is_running():  # in a thread that ends with the process
            loop.close()

    atexit.register(close)  # not before: the program's threads may go on with it


def _put_first(directory: str) -> None:
    """Put the program's directory where Python puts it, unless it was told not to (``-P``)."""
    if not sys.flags.safe_path:
        sys.path[0] = directory


def _run_file(path: str) -> None:
    # Not runpy.run_path(): there, sys.argv[0] and __file__ are not what Python makes of them, and
    # the module is gone when the program's threads and exit handlers still need it.
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as exc:
        print(f"ws6455: can't open file {path!r}: {exc.strerror}", file=sys.stderr)
        raise SystemExit(2) from None
    full_path = os.path.abspath(path)
    main = types.ModuleType("__main__")
    main.__file__ = full_path
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", full_path)
    sys.modules["__main__"] = main
    _put_first(os.path.dirname(os.path.realpath(path)))
    # Without the future statements of this module, which compile() would hand on.
    exec(compile(source, full_path, "exec", dont_inherit=True), main.__dict__)


def main(argv: list[str] | None = None) -> None:
    """Connect to a server and exchange messages with it, in the terminal.

    Args:
        argv: the arguments; by default those of this process.

    Raises:
        SystemExit: with 2 if there is no URI; else when it is over.
    """
    parser = argparse.ArgumentParser(prog="websockets", description="Interactive client.")
    parser.add_argument("--version", action="version", version=f"websockets {VERSION}")
    parser.add_argument("--insecure", action="store_true", help="do not check the certificate")
    parser.add_argument("uri", metavar="<uri>", help="ws:// or wss://")
    arguments = parser.parse_args(argv)
    options = ["--insecure"] if arguments.insecure else []
    sys.argv = ["ws6455", "connect", *options, arguments.uri]
    runpy.run_module("ws6455", run_name="__main__", alter_sys=True)
