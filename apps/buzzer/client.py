"""The buzzer's terminal client: the space bar buzzes."""

import argparse
from collections.abc import AsyncIterator

from apps import terminal
from apps.buzzer.keys import keys

BUZZ = "buzz"


async def play(options: argparse.Namespace) -> None:
    """Buzz on each press of the space bar, or for each piped line, and print the answers."""
    async with terminal.connect(options) as connection:
        if not terminal.is_interactive():
            await terminal.exchange(connection, _buzz_for_each_line())
            return
        print("Space bar: buzz. q: quit.")
        async with keys() as pressed:
            await terminal.exchange(connection, _buzz_for_each_space(pressed))


async def _buzz_for_each_line() -> AsyncIterator[str]:
    async for _ in terminal.read_lines():
        yield BUZZ


async def _buzz_for_each_space(pressed: AsyncIterator[str]) -> AsyncIterator[str]:
    async for key in pressed:
        if key == " ":
            yield BUZZ
        if key in ("q", "Q"):
            return
