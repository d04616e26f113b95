"""The desktop client: a connection to a server and a window that shows the game."""

import argparse
import asyncio
import functools
import os
import sys
from typing import Any

from apps import terminal
from apps.box.client import Link, player_query

# Pings measure the latency. A dead connection is noticed within six seconds.
PING_INTERVAL = 1.0
PING_TIMEOUT = 5.0
# Closing the window must not wait long for a server that does not answer.
CLOSE_TIMEOUT = 1.0
OPEN_TIMEOUT = 5.0


class NoWindowError(Exception):
    """A window cannot be opened; the message gives the reason."""


def has_display() -> bool:
    """Return whether this machine appears to have a display."""
    if sys.platform in ("win32", "darwin"):
        return True
    variables = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    return any(os.environ.get(variable) for variable in variables)


async def play(options: argparse.Namespace) -> None:
    """Play on the server given by the options until the window is closed.

    Raises:
        NoWindowError: there is no display, or pygame is not installed.
        SystemExit: the server cannot be reached at the start.
    """
    if not has_display():
        raise NoWindowError("There is no display for a window")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        import pygame

        from apps.box.window import Window
    except ImportError:
        raise NoWindowError("A window needs pygame: pip install pygame") from None

    settings: dict[str, Any] = {
        "query": player_query(options.name),
        "ping_interval": PING_INTERVAL,
        "ping_timeout": PING_TIMEOUT,
        "open_timeout": OPEN_TIMEOUT,
        "close_timeout": CLOSE_TIMEOUT,
    }
    async with terminal.connect(options, **settings) as connection:
        link = Link(functools.partial(terminal.open_connection, options, **settings))
        try:
            window = Window(link)
        except pygame.error as error:
            raise NoWindowError(f"A window cannot be opened: {error}") from None
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(link.run(connection))
            await window.run()
            playing.cancel()
