"""``python -m apps.buzzer``: the server, the client, or both."""

import asyncio
import functools
import sys
from importlib import resources

from apps import terminal
from apps.buzzer.client import play
from apps.buzzer.server import Buzzer
from apps.options import parser, positive_seconds, read
from apps.serving import serve_app

PAGE = resources.files("apps.buzzer").joinpath("page.html").read_bytes()


def main() -> int:
    """Run the command line and return the exit status."""
    flags = parser("buzzer", "The first client to buzz wins the round.", port=8765)
    flags.add_argument(
        "--auto", action="store_true", help="server: open a new round after each first buzz"
    )
    flags.add_argument(
        "--pause",
        type=positive_seconds,
        default=5.0,
        metavar="SECONDS",
        help="server: time from the first buzz to the next round (%(default)s; with --auto)",
    )
    options = read(flags)
    if options.command == "client":
        return terminal.run(play(options))
    buzzer = Buzzer(options.pause if options.auto else None)
    jobs = [functools.partial(play, options)] if options.command is None else []
    asyncio.run(serve_app(buzzer.serve, options, name="buzzer", page=PAGE, extra=jobs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
