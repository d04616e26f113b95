"""The command ``websockets``, which ``python -m ws6455 connect`` is in place of."""

from __future__ import annotations

import argparse
import runpy
import sys

from .names import VERSION

__all__ = ["main"]


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
