"""The common part of the terminal clients: connecting, reading input and ending.

- `run` runs a client. Ctrl+C, SIGTERM and similar signals end it without a traceback, with
  status 128 + the signal's number. All ``finally`` blocks run, so the terminal is restored.
- `connect` opens a connection to the server given by the options. If that fails, or if the
  connection is lost, the program prints one line and ends with status 1, or with status 2
  for an invalid address.
- `printable` makes untrusted text safe to print.
- `exchange` sends requests and prints incoming messages at the same time.
- `read_input` reads typed or piped input; `read_lines` yields it line by line.
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

CLOSE_TIMEOUT = 2  # seconds for the server to answer the closing handshake

# By default these signals end the process at once, without restoring the terminal.
FATAL_SIGNALS = ("SIGTERM", "SIGHUP", "SIGQUIT")


def run(main: Coroutine[Any, Any, int | None]) -> int:
    """Run a program's `main` and return the exit status: its result, or 0 for None."""
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
    """Return the address to connect to: the one given, or that of the server on this machine."""
    if options.url is not None:
        return str(options.url)
    scheme = "wss" if options.tls_cert else "ws"
    host = "localhost" if options.host in ("0.0.0.0", "::") else options.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{options.port}"


def client_tls(options: argparse.Namespace, uri: str) -> ssl.SSLContext | None:
    """Return the TLS context for `uri`, or None for ``ws``; ``--tls-cert`` is trusted too."""
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
    """Open a connection to the server given by the options, with the token if there is one.

    `query` is appended to the address. `settings` are passed to ``ws6455.connect``, whose
    exceptions propagate.
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
    """Connect to the server given by the options, with the token if there is one.

    `query` is appended to the address, but not shown in messages. `settings` are passed to
    ``ws6455.connect``. Raises `SystemExit` with one line for standard error if the server
    cannot be reached, refuses the handshake, or closes the connection during the block.
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
        exit_invalid_address(uri)
    async with connection:
        try:
            yield connection
        except ws6455.ConnectionClosed as closed:
            sys.exit(f"{shown} closed the connection: {closed}")


def exit_invalid_address(uri: str) -> NoReturn:
    """End the program with status 2: `uri` is not the address of a WebSocket server."""
    print(f"{hide_secrets(uri)!r} is not an address such as ws://localhost:8765", file=sys.stderr)
    raise SystemExit(2)


def exit_unreachable(uri: str, error: Exception) -> NoReturn:
    """End the program with status 1 and a one-line reason why `uri` cannot be reached."""
    reason = " ".join(str(error).split())
    if isinstance(error, TimeoutError):
        reason = "no answer in time"
    elif f"[Errno {errno.ECONNREFUSED}]" in reason:  # one address, or several in one error
        reason = "connection refused"
    sys.exit(f"Cannot reach {hide_secrets(uri)}: {reason}")


def printable(text: str) -> str:
    """Return `text` made safe for a terminal: unprintable characters become U+FFFD."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


async def exchange(
    connection: ws6455.ClientConnection,
    requests: AsyncIterator[str],
    is_reply: Callable[[str], bool] = lambda _: True,
) -> None:
    """Send `requests` and print incoming messages until every request has its reply.

    `is_reply` tells a reply from an unrequested message. Raises `ws6455.ConnectionClosed` if
    the server closes the connection.
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
    """Read available bytes from standard input; b"" at its end. Blocks."""
    return os.read(sys.stdin.fileno(), 4096)


async def read_input(read: Callable[[], bytes] = read_stdin) -> bytes:
    """Wait for typed or piped input and return it; b"" at the end of the input.

    `read` runs in a daemon thread, since a blocking read of a terminal cannot be cancelled and
    must not delay the exit. (The event loop's own reader supports neither files nor the
    terminal on Windows.)
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def set_result(data: bytes) -> None:
        if not done.cancelled():
            done.set_result(data)

    def read_in_thread() -> None:
        try:
            data = read()
        except OSError:
            data = b""  # the terminal is gone
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(set_result, data)

    threading.Thread(target=read_in_thread, daemon=True).start()
    return await done


async def read_lines() -> AsyncIterator[str]:
    """Yield each line of the input, without its line ending."""
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
    """Return whether standard input is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()
