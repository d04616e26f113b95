"""The terminal client's side: connecting, typed input, and how such a program ends.

- `run` runs a client: Ctrl+C, SIGTERM and the like end it without a traceback, after every
  ``finally`` (so the terminal is restored), with status 128 + the signal's number.
- `connect` opens the connection that the options name. When there is none, or when it breaks,
  one line says so and the program ends: status 1, or 2 for an address that is none.
- `printable` makes text from elsewhere safe to print.
- `talk` sends requests and prints all that comes, at the same time.
- `read_input` reads what is typed or piped in; `read_lines` gives it line by line.
"""

import argparse
import asyncio
import codecs
import contextlib
import errno
import os
import signal
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from types import FrameType
from typing import Any, NoReturn

import ws6455
from apps.options import hide_secrets

CLOSE_TIMEOUT = 2  # seconds that the server has to answer the closing handshake

# Signals whose default is to end the process on the spot, with the terminal as it is.
FATAL_SIGNALS = ("SIGTERM", "SIGHUP", "SIGQUIT")


def run(main: Coroutine[Any, Any, int | None]) -> int:
    """Run a program's `main` to its end and give the exit status: its result, or 0 for None."""
    caught = 0

    async def until_signal() -> int:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None

        def on_signal(number: int, _frame: FrameType | None) -> None:
            nonlocal caught
            caught = number
            if not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)

        for name in FATAL_SIGNALS:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), on_signal)
        return await main or 0

    try:
        return asyncio.run(until_signal())
    except asyncio.CancelledError:
        return 128 + caught
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def address(options: argparse.Namespace) -> str:
    """Give the address a client connects to: the one given, or the server of this machine."""
    if options.url is not None:
        return str(options.url)
    scheme = "wss" if options.tls_cert else "ws"
    host = "localhost" if options.host in ("0.0.0.0", "::") else options.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{options.port}"


def client_tls(options: argparse.Namespace, uri: str) -> ssl.SSLContext | None:
    """Give the TLS settings for `uri`, None for ``ws``; ``--tls-cert`` is trusted as well."""
    if not uri.lower().startswith("wss:"):
        return None
    context = ssl.create_default_context()
    if options.tls_cert is not None:
        try:
            context.load_verify_locations(options.tls_cert)
        except OSError as error:
            sys.exit(f"Cannot use --tls-cert {options.tls_cert}: {error.strerror or error}")
    return context


async def open_connection(
    options: argparse.Namespace, *, query: str = "", **settings: Any
) -> ws6455.ClientConnection:
    """Open the connection that the options name, with the token if there is one.

    `query` is added to the address. `settings` go to ``ws6455.connect``, and what that raises
    is raised.
    """
    uri = address(options)
    if query:
        uri += f"{'&' if '?' in uri else '?'}{query}"
    if options.token is not None:
        settings["additional_headers"] = {"Authorization": f"Bearer {options.token}"}
    settings.setdefault("ssl", client_tls(options, uri))
    settings.setdefault("close_timeout", CLOSE_TIMEOUT)
    return await ws6455.connect(uri, **settings)


@contextlib.asynccontextmanager
async def connect(
    options: argparse.Namespace, *, query: str = "", **settings: Any
) -> AsyncIterator[ws6455.ClientConnection]:
    """Connect to the server that the options name, with the token if there is one.

    `query` is added to the address where it is not shown. `settings` go to ``ws6455.connect``.
    Raises `SystemExit` with one line on standard error when the server cannot be reached,
    refuses, or closes the connection in the block.
    """
    uri = address(options)
    shown = hide_secrets(uri)
    try:
        connection = await open_connection(options, query=query, **settings)
    except ws6455.InvalidStatus as error:
        response = error.response
        sys.exit(f"{shown} refused: {response.status_code} {response.reason_phrase}")
    except (OSError, ws6455.InvalidHandshake) as error:
        exit_unreachable(uri, error)
    except (ws6455.InvalidURI, ValueError):
        exit_for_address(uri)
    async with connection:
        try:
            yield connection
        except ws6455.ConnectionClosed as closed:
            sys.exit(f"{shown} closed the connection: {closed}")


def exit_for_address(uri: str) -> NoReturn:
    """End the program with status 2: `uri` is no address of a WebSocket server."""
    print(f"{hide_secrets(uri)!r} is no address such as ws://localhost:8765", file=sys.stderr)
    raise SystemExit(2)


def exit_unreachable(uri: str, error: Exception) -> NoReturn:
    """End the program with status 1 and one line that says why `uri` was not reached."""
    reason = " ".join(str(error).split())
    if isinstance(error, TimeoutError):
        reason = "no answer in time"
    elif f"[Errno {errno.ECONNREFUSED}]" in reason:  # of one address, or of several
        reason = "connection refused"
    sys.exit(f"Cannot reach {hide_secrets(uri)}: {reason}")


def printable(text: str) -> str:
    """Give `text` from elsewhere for a terminal: what would steer it becomes U+FFFD."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


async def talk(
    connection: ws6455.ClientConnection,
    requests: AsyncIterator[str],
    is_reply: Callable[[str], bool] = lambda _: True,
) -> None:
    """Send each of `requests` and print all that comes, until they end and have their replies.

    `is_reply` tells a reply from what the server says by itself. Raises
    `ws6455.ConnectionClosed` when the server closes.
    """
    unanswered: asyncio.Queue[str] = asyncio.Queue()

    async def send() -> None:
        async for request in requests:
            unanswered.put_nowait(request)
            await connection.send(request)
        await unanswered.join()

    async def receive() -> None:
        while True:
            message = await connection.recv()
            text = message if isinstance(message, str) else repr(message)
            print(printable(text))
            if is_reply(text) and not unanswered.empty():
                unanswered.get_nowait()
                unanswered.task_done()

    tasks = [asyncio.create_task(send()), asyncio.create_task(receive())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def read_stdin() -> bytes:
    """Read what standard input has; b"" at its end. Blocks."""
    return os.read(sys.stdin.fileno(), 4096)


async def read_input(read: Callable[[], bytes] = read_stdin) -> bytes:
    """Wait for typed or piped input and give what there is; b"" at the end of the input.

    `read` is called in a thread that nobody waits for at exit: a read of a terminal cannot be
    called off. (The event loop's own reader knows no files, and no terminal on Windows.)
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def give(data: bytes) -> None:
        if not done.cancelled():
            done.set_result(data)

    def wait() -> None:
        try:
            data = read()
        except OSError:
            data = b""  # the terminal is gone
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(give, data)

    threading.Thread(target=wait, daemon=True).start()
    return await done


async def read_lines() -> AsyncIterator[str]:
    """Give each line of the input without its end, until the input ends."""
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    text = ""
    while data := await read_input():
        text += decode(data)
        *lines, text = text.split("\n")
        for line in lines:
            yield line.removesuffix("\r")
    if text:
        yield text


def is_interactive() -> bool:
    """Tell whether a person types the input."""
    return sys.stdin is not None and sys.stdin.isatty()
