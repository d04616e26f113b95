"""``connect URI``: sends what is typed or piped in, shows what comes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
from typing import Any

from ..aio.client import connect as open_connection
from ..aio.client_connection import ClientConnection
from ..exceptions import ConnectionClosed, ConnectionClosedOK, hide_credentials
from ..framing.frames import CloseCode
from .console import Console, tracing
from .failure import explained
from .opening import opening_arguments
from .tap import traced_client

__all__ = ["connect"]


async def connect(options: argparse.Namespace) -> int:
    """Run the command.

    Args:
        options: those of :func:`~.arguments.parse`.

    Returns:
        0 if the connection was closed as it should be, else 1.

    Raises:
        Failure: if there is none, or the input cannot be sent.
    """
    console = Console(binary=options.binary)
    arguments = opening_arguments(options) | {"max_size": options.max_size or None}
    if options.no_compression:
        arguments["compression"] = None
    if options.ping is not None:
        arguments["ping_interval"] = options.ping or None
    with tracing(console.print_error) as show:
        if options.trace:
            arguments["create_connection"] = traced_client(show)
        closed = await _talk(options, console, arguments)
    return 0 if isinstance(closed, ConnectionClosedOK) else 1


async def _talk(
    options: argparse.Namespace, console: Console, arguments: dict[str, Any]
) -> ConnectionClosed:
    """Open a connection, hold the conversation, close; return how it was closed."""
    with explained(options.uri):
        connection = await open_connection(options.uri, **arguments)
    if console.typed or options.verbose:
        console.note(_welcome(options, console, connection))
    code = CloseCode.NORMAL_CLOSURE
    with console.taking_turns():
        try:
            await _converse(connection, console, options)
        except asyncio.CancelledError:
            code = CloseCode.GOING_AWAY
            raise
        finally:
            await connection.close(code)
            closed = connection.close_exc
            console.note(f"connection closed: {closed}")
    return closed


def _welcome(options: argparse.Namespace, console: Console, connection: ClientConnection) -> str:
    text = f"connected to {hide_credentials(options.uri)}"
    if options.verbose:
        agreed = [extension.name for extension in connection.protocol.extensions]
        if connection.subprotocol is not None:
            agreed.append(f"the subprotocol {connection.subprotocol}")
        text += f", with {' and '.join(agreed) or 'no extension and no subprotocol'}"
    return f"{text} (Ctrl+D closes)" if console.typed else text


async def _converse(
    connection: ClientConnection, console: Console, options: argparse.Namespace
) -> None:
    """Send and show until the input ends and the answers cease, or the connection is closed."""
    heard = asyncio.Event()

    async def show() -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                console.message(await connection.recv())
                heard.set()

    async def send() -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in console.input():
                await connection.send(message)
            wait = options.wait if options.wait is not None else 0 if console.typed else 1
            await _silence(heard, wait)
            await connection.close()

    showing, sending = asyncio.create_task(show()), asyncio.create_task(send())
    try:
        await asyncio.wait([showing, sending], return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
        await showing  # all that was received, before the connection counts as closed
    finally:
        for task in (showing, sending):
            task.cancel()
        await asyncio.gather(showing, sending, return_exceptions=True)


async def _silence(heard: asyncio.Event, seconds: float) -> None:
    """Wait until no message was heard for so long."""
    timeout = None if math.isinf(seconds) else seconds
    with contextlib.suppress(TimeoutError):
        while True:
            heard.clear()
            async with asyncio.timeout(timeout):
                await heard.wait()
