"""The command ``connect``, which sends typed or piped input and prints received messages."""

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
from .failure import explain_failures
from .opening import opening_arguments
from .tap import traced_client

__all__ = ["connect"]


async def connect(options: argparse.Namespace) -> int:
    """Run the command.

    Args:
        options: those of :func:`~.arguments.parse`.

    Returns:
        0 if the connection was closed without an error, else 1.

    Raises:
        Failure: if the connection cannot be opened, or the input cannot be sent.
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
        closed = await _run_connection(options, console, arguments)
    return 0 if isinstance(closed, ConnectionClosedOK) else 1


async def _run_connection(
    options: argparse.Namespace, console: Console, arguments: dict[str, Any]
) -> ConnectionClosed:
    """Open a connection, exchange messages and close it; return its closing exception."""
    with explain_failures(options.uri):
        connection = await open_connection(options.uri, **arguments)
    if console.typed or options.verbose:
        console.note(_welcome(options, console, connection))
    code = CloseCode.NORMAL_CLOSURE
    with console.output_above_prompt():
        try:
            await _exchange_messages(connection, console, options)
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


async def _exchange_messages(
    connection: ClientConnection, console: Console, options: argparse.Namespace
) -> None:
    """Send input and print messages until both end, or the connection is closed."""
    received = asyncio.Event()

    async def show() -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                console.message(await connection.recv())
                received.set()

    async def send() -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in console.input():
                await connection.send(message)
            wait = options.wait if options.wait is not None else 0 if console.typed else 1
            await _wait_for_silence(received, wait)
            await connection.close()

    showing, sending = asyncio.create_task(show()), asyncio.create_task(send())
    try:
        await asyncio.wait([showing, sending], return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
        await showing  # print all received messages before the closing is reported
    finally:
        for task in (showing, sending):
            task.cancel()
        await asyncio.gather(showing, sending, return_exceptions=True)


async def _wait_for_silence(received: asyncio.Event, seconds: float) -> None:
    """Wait until no message has been received for a number of seconds."""
    timeout = None if math.isinf(seconds) else seconds
    with contextlib.suppress(TimeoutError):
        while True:
            received.clear()
            async with asyncio.timeout(timeout):
                await received.wait()
