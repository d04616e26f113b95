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
    """Run what the command line asks for and give the exit status."""
    flags = parser("buzzer", "Who was first?", port=8765)
    flags.add_argument(
        "--auto", action="store_true", help="server: open a new round after each one"
    )
    flags.add_argument(
        "--pause",
        type=positive_seconds,
        default=5.0,
        metavar="SECONDS",
        help="server: from a first buzz to the next round (%(default)s; with --auto)",
    )
    options = read(flags)
    if options.command == "client":
        return terminal.run(play(options))
    buzzer = Buzzer(options.pause if options.auto else None)
    beside = [functools.partial(play, options)] if options.command is None else []
    asyncio.run(serve_app(buzzer.serve, options, name="buzzer", page=PAGE, extra=beside))
    return 0


if __name__ == "__main__":
    sys.exit(main())
