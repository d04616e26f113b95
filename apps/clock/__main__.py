"""``python -m apps.clock``: the server, the client, or both."""

import asyncio
import functools
import sys
from importlib import resources

from apps import terminal
from apps.clock.client import watch
from apps.clock.server import Clock
from apps.options import parser, positive_seconds, read
from apps.serving import Job, serve_app

PAGE = resources.files("apps.clock").joinpath("page.html").read_bytes()


def main() -> int:
    """Run the command line and return the exit status."""
    flags = parser("clock", "The time for all clients, and answers to requests.", port=8000)
    for flag, default, message in (
        ("--tick", 3.0, "the time"),
        ("--heartbeat", 60.0, "Connected"),
    ):
        flags.add_argument(
            flag,
            type=positive_seconds,
            default=default,
            metavar="SECONDS",
            help=f"server: time between two broadcasts of {message} (%(default)s)",
        )
    options = read(flags)
    if options.command == "client":
        return terminal.run(watch(options))
    clock = Clock()
    jobs: list[Job] = [
        functools.partial(clock.broadcast_time, round(options.tick * 1000)),
        functools.partial(clock.broadcast_connected, round(options.heartbeat * 1000)),
    ]
    if options.command is None:
        jobs.append(functools.partial(watch, options))
    asyncio.run(serve_app(clock.serve, options, name="clock", page=PAGE, extra=jobs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
