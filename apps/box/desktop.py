"""The desktop client: a link to a server and a window on it, until the window is closed."""

import argparse
import asyncio
import functools
import os
import sys
from typing import Any

from apps import terminal
from apps.box.client import Link, introduction

# A ping a second shows the latency, and finds a dead link within six.
PING_INTERVAL = 1.0
PING_TIMEOUT = 5.0
# A player who closes the window does not wait for a server that does not answer.
CLOSE_TIMEOUT = 1.0
OPEN_TIMEOUT = 5.0


class NoWindowError(Exception):
    """A window cannot be opened here; the text says why."""


def has_display() -> bool:
    """Tell whether this machine can be expected to show a window."""
    if sys.platform in ("win32", "darwin"):
        return True
    variables = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    return any(os.environ.get(variable) for variable in variables)


async def play(options: argparse.Namespace) -> None:
    """Play on the server that the options name, until the window is closed.

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
        "query": introduction(options.name),
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
