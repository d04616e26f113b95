"""The greeter's terminal client: sends names, prints the greetings."""

import argparse
from collections.abc import AsyncIterator

import ws6455
from apps import terminal
from apps.greeter.trace import traced_connect

PROMPT = "Enter your name: "


async def send_names(options: argparse.Namespace) -> int:
    """Send names and print the answers; return 0 if every name was greeted, else 1.

    The names are ``--name``, or one typed at the prompt, or the lines of piped input.
    """
    connect = traced_connect if options.trace else terminal.connect
    greeted = []
    async with connect(options) as connection:
        async for name in _names(options):
            greeted.append(await _send_name(connection, name))
    return 0 if greeted and all(greeted) else 1


async def _send_name(connection: ws6455.ClientConnection, name: str) -> bool:
    """Send `name`, print it and the answer, and return whether the answer is a greeting."""
    await connection.send(name)
    print(f"Sent: {name}")
    answer = await connection.recv()
    shown = terminal.printable(answer) if isinstance(answer, str) else repr(answer)
    print(f"Received: {shown}")
    return shown.startswith("Hello ")


async def _names(options: argparse.Namespace) -> AsyncIterator[str]:
    """Yield the names to send."""
    if options.name is not None:
        yield options.name
        return
    interactive = terminal.is_interactive()
    if interactive:
        print(PROMPT, end="", flush=True)
    async for line in terminal.read_lines():
        if not interactive:
            # Piped input is not echoed by a terminal, so print it for the transcript.
            print(PROMPT + line)
        yield line
        if interactive:
            return
    if interactive:
        print()  # the input ended at the prompt
