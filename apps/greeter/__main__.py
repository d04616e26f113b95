"""``python -m apps.greeter``: the server, the client, both, or the self-test."""

import asyncio
import functools
import sys
from importlib import resources

from apps import terminal
from apps.greeter.client import send_names
from apps.greeter.selftest import selftest
from apps.greeter.server import greet
from apps.options import parser, read
from apps.serving import serve_app

PAGE = resources.files("apps.greeter").joinpath("page.html").read_bytes()


def main() -> int:
    """Run the command line and return the exit status."""
    flags = parser("greeter", "Send a name, get a greeting.", port=8765, commands=("selftest",))
    flags.add_argument("--name", help="client: the name to send, instead of asking for it")
    flags.add_argument(
        "--trace",
        action="store_true",
        help="client: print the handshake and every frame, without compression",
    )
    options = read(flags)
    if options.command == "client":
        return terminal.run(send_names(options))
    if options.command == "selftest":
        return terminal.run(selftest())
    jobs = [functools.partial(send_names, options)] if options.command is None else []
    asyncio.run(serve_app(greet, options, name="greeter", page=PAGE, extra=jobs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
