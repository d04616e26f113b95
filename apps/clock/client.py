"""The clock's terminal client: prints the server's messages and sends the typed requests."""

import argparse
import asyncio
from collections.abc import AsyncIterator

from apps import terminal
from apps.clock.server import REQUESTS

REPLY_STARTS = (*(f"{request}:" for request in REQUESTS), "Error:")


async def watch(options: argparse.Namespace) -> None:
    """Print the server's messages, and send each line of the input as a request.

    With piped requests the client ends once each has its reply. Without any requests it runs
    until it is stopped.
    """
    async with terminal.connect(options) as connection:
        await terminal.exchange(connection, _requests(), lambda text: text.startswith(REPLY_STARTS))


async def _requests() -> AsyncIterator[str]:
    any_request = False
    async for line in terminal.read_lines():
        if line.strip():
            any_request = True
            yield line
    if not any_request and not terminal.is_interactive():
        await asyncio.Event().wait()  # started without input, to watch the clock
