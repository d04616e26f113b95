"""The entry point of ``python -m ws6455``, which runs a command and returns its exit status.

The commands are in :mod:`ws6455.cli`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .cli.arguments import parse
from .cli.bench import bench
from .cli.connect import connect
from .cli.running import run
from .cli.serve import new_uvloop, serve

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments, without the program's name; None for those of the process.

    Returns:
        The exit status: 0 for success, 1 for a failure, 2 for wrong usage, 128 plus the signal's
        number after a signal (130 for Ctrl+C).

    Raises:
        SystemExit: for ``--help``, ``--version`` and wrong usage. With ``run``, the exceptions
            of the program are raised as well.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["run"] and arguments[1:2] not in (["-h"], ["--help"]):
        # The other arguments belong to the program and must not be parsed here.
        from .compat import run_program

        run_program(arguments[1:])
        return 0
    if arguments and arguments[0].startswith(("ws://", "wss://")):
        arguments.insert(0, "connect")  # as for `python -m websockets`
    options = parse(arguments)
    match options.command:
        case "connect":
            return run(connect, options)
        case "serve":
            return run(serve, options, new_uvloop if options.uvloop else None)
        case _:
            return run(bench, options)


if __name__ == "__main__":
    sys.exit(main())
