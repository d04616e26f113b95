"""``python -m apps.box``: the server, the desktop client, or both."""

import argparse
import asyncio
import signal
import sys
from importlib import resources

from apps import terminal
from apps.box.desktop import NoWindowError, play
from apps.box.server import Game
from apps.options import parser, port_number, read
from apps.serving import Job, serve_app

PAGE = resources.files("apps.box").joinpath("page.html").read_bytes()


def main() -> int:
    """Run the command line and return the exit status."""
    flags = parser("box", "Boxes in one world, on the desktop and in the browser.", port=8765)
    flags.add_argument("--name", default="", help="client: the name that others see")
    flags.add_argument(
        "--web-port",
        type=port_number,
        default=5000,
        help="second port for the page; 0 turns it off (%(default)s)",
    )
    options = read(flags)
    if options.command == "client":
        return terminal.run(client(options))
    asyncio.run(server(options, with_window=options.command is None))
    return 0


async def client(options: argparse.Namespace) -> None:
    """Play in a window until it is closed.

    Raises:
        SystemExit: no window can be opened; carries one line for standard error.
    """
    try:
        await play(options)
    except NoWindowError as error:
        sys.exit(f"{error}.")


async def server(options: argparse.Namespace, *, with_window: bool) -> None:
    """Run the server and, if `with_window`, the desktop client on the same event loop."""

    def listening(address: str) -> None:
        options.url = address

    async def window() -> None:
        try:
            await play(options)
        except NoWindowError as error:
            print(f"{error}; the server goes on.")
        else:
            # Closing the window ends the whole program, as Ctrl+C does.
            signal.raise_signal(signal.SIGINT)

    game = Game()
    jobs: list[Job] = [game.run]
    if with_window:
        jobs.append(window)
    await serve_app(
        game.handle,
        options,
        name="box game",
        page=PAGE,
        extra=jobs,
        web_port=options.web_port,
        ready=listening,
    )


if __name__ == "__main__":
    sys.exit(main())
