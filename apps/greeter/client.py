"""The greeter's terminal client: sends names, prints the greetings."""

import argparse
from collections.abc import AsyncIterator

import ws6455
from apps import terminal
from apps.greeter.trace import traced_connect

PROMPT = "Enter your name: "


async def ask(options: argparse.Namespace) -> int:
    """Send names and print what comes back; give 0 if each of them was greeted, else 1.

    The name is ``--name``, or one typed at the prompt, or each line that is piped in.
    """
    connect = traced_connect if options.trace else terminal.connect
    greeted = []
    async with connect(options) as connection:
        async for name in _names(options):
            greeted.append(await _greeted(connection, name))
    return 0 if greeted and all(greeted) else 1


async def _greeted(connection: ws6455.ClientConnection, name: str) -> bool:
    """Send `name`, print both sides and tell whether the answer is a greeting."""
    await connection.send(name)
    print(f"Sent: {name}")
    answer = await connection.recv()
    shown = terminal.printable(answer) if isinstance(answer, str) else repr(answer)
    print(f"Received: {shown}")
    return shown.startswith("Hello ")


async def _names(options: argparse.Namespace) -> AsyncIterator[str]:
    """Give the names to send."""
    if options.name is not None:
        yield options.name
        return
    interactive = terminal.is_interactive()
    if interactive:
        print(PROMPT, end="", flush=True)
    async for line in terminal.read_lines():
        if not interactive:
            # Nobody sees what a pipe types: the transcript shows it all the same.
            print(PROMPT + line)
        yield line
        if interactive:
            return
    if interactive:
        print()  # the input ended at the prompt
