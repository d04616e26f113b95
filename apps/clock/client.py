"""The clock's terminal client: shows all that the server says, sends what is typed."""

import argparse
import asyncio
from collections.abc import AsyncIterator

from apps import terminal
from apps.clock.server import REQUESTS

REPLY_STARTS = (*(f"{request}:" for request in REQUESTS), "Error:")


async def watch(options: argparse.Namespace) -> None:
    """Print all that the server says, and send each line of the input as a request.

    Piped requests end the client once each has its reply; without any it goes on.
    """
    async with terminal.connect(options) as connection:
        await terminal.talk(connection, _requests(), lambda text: text.startswith(REPLY_STARTS))


async def _requests() -> AsyncIterator[str]:
    asked = False
    async for line in terminal.read_lines():
        if line.strip():
            asked = True
            yield line
    if not asked and not terminal.is_interactive():
        await asyncio.Event().wait()  # started without an input, to look at the clock
