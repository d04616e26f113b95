"""Input and output of the commands.

Messages go to standard output, everything else to standard error. In a terminal, rich colours the
output and prompt_toolkit keeps the line being typed below it, if they are installed.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, TextIO

from .failure import Failure
from .printable import one_line, printable

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

    from .trace import TraceLine

__all__ = ["Console", "printer", "tracing"]

_CHUNK = 1 << 16
_BYTES_SHOWN = 64  # of a Binary message, in a terminal
_NOT_UTF_8 = "the input is not UTF-8 (use --binary to send bytes)"

#: A part of a line, and its style in the syntax of rich: ``("> ", "green")``.
Part = tuple[str, str]


def printer(stream: TextIO) -> Callable[..., None]:
    """Return a function that prints a line made of parts.

    Args:
        stream: ``sys.stdout`` or ``sys.stderr``. The output is coloured if the stream is a
            terminal and rich is installed.
    """
    if stream.isatty():
        with contextlib.suppress(ImportError):
            from rich.console import Console as RichConsole
            from rich.text import Text

            # rich looks up the stream for each line, since a prompt replaces it temporarily.
            rich = RichConsole(stderr=stream is sys.stderr, highlight=False)

            def print_coloured(*parts: Part) -> None:
                rich.print(Text.assemble(*parts), soft_wrap=True)

            return print_coloured

    def print_plain(*parts: Part) -> None:
        print("".join(text for text, _ in parts), file=stream, flush=True)

    return print_plain


@contextlib.contextmanager
def tracing(print_parts: Callable[..., None]) -> Iterator[Callable[[TraceLine], None]]:
    """Yield a function that prints a line of the trace; cancel the command if printing fails.

    Args:
        print_parts: the result of :func:`printer`.

    Raises:
        OSError: on exit, if a line could not be printed. If it was raised while printing, the
            connection would treat it as its own error.
    """
    task = asyncio.current_task()
    assert task is not None
    failure: OSError | None = None

    def print_trace(line: TraceLine) -> None:
        nonlocal failure
        if failure is not None:
            return
        try:
            print_parts(
                (f"{line.connection} ".lstrip(), "magenta"),
                (f"{line.seconds:9.4f} ", "dim"),
                (f"{line.arrow} ", "green" if line.arrow == ">" else "cyan"),
                (line.text, ""),
                (f"  -- {line.note}" if line.note else "", _style_of(line.note)),
            )
        except OSError as exc:
            failure = exc
            task.cancel()

    try:
        yield print_trace
    finally:
        if failure is not None:
            raise failure


class Console:
    """The input and output of the command ``connect``.

    Args:
        binary: whether to pass bytes through unchanged, in both directions.

    Attributes:
        typed: whether the input is typed in a terminal.
        print_error: prints a line on standard error; see :func:`printer`.

    Raises:
        Failure: if bytes would be written to a terminal.
    """

    def __init__(self, *, binary: bool = False) -> None:
        self.typed: bool = sys.stdin.isatty()
        self._binary = binary
        self._to_terminal = sys.stdout.isatty()
        if binary and self._to_terminal:
            raise Failure("--binary would write bytes to the terminal: pipe the output", status=2)
        self._print = printer(sys.stdout)
        self.print_error: Callable[..., None] = printer(sys.stderr)
        self._prompt = _prompt_session() if self.typed and self._to_terminal else None

    @contextlib.contextmanager
    def output_above_prompt(self) -> Iterator[None]:
        """Print output above the prompt, so that they do not mix."""
        if self._prompt is None:
            yield
            return
        from prompt_toolkit.patch_stdout import patch_stdout

        with patch_stdout(raw=True):
            yield

    # Output -----------------------------------------------------------------------------

    def message(self, message: str | bytes) -> None:
        """Print a received message.

        Raises:
            BrokenPipeError: if the reader of standard output has closed it.
        """
        if self._to_terminal:
            self._print(("< ", "cyan"), (_format_message(message), ""))
            return
        data = message.encode() if isinstance(message, str) else message
        if not self._binary:
            data = (data if isinstance(message, str) else data.hex(" ").encode()) + b"\n"
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def note(self, text: str) -> None:
        """Print a note on the connection, in one line."""
        self.print_error((one_line(text), "dim"))

    # Input ------------------------------------------------------------------------------

    def input(self) -> AsyncIterator[str | bytes]:
        """Yield the messages to send: each line as text, or bytes as they are read.

        Raises:
            Failure: if a line is not UTF-8.
        """
        if self._binary:
            return _chunks()
        return _lines() if self._prompt is None else _prompted_lines(self._prompt)


def _style_of(note: str) -> str:
    if note.startswith("wrong"):
        return "bold red"
    return "dim green" if note.startswith("right") else "dim"


def _format_message(message: str | bytes) -> str:
    """Format a message for a terminal."""
    if isinstance(message, str):
        return printable(message)
    more = "..." if len(message) > _BYTES_SHOWN else ""
    unit = "byte" if len(message) == 1 else "bytes"
    return f"[{len(message)} {unit}] {message[:_BYTES_SHOWN].hex(' ')}{more}"


def _prompt_session() -> PromptSession[str] | None:
    """Return a prompt with line editing and a history; None without prompt_toolkit."""
    try:
        from prompt_toolkit import PromptSession
    except ImportError:
        return None
    return PromptSession("> ")


async def _prompted_lines(session: PromptSession[str]) -> AsyncIterator[str]:
    """Yield each line typed at the prompt."""
    while True:
        try:
            line = await session.prompt_async(handle_sigint=False)  # asyncio's runner handles it
        except EOFError:
            return
        except KeyboardInterrupt:
            # Ctrl+C: at the prompt, the terminal does not convert the key to a signal.
            signal.raise_signal(signal.SIGINT)
            await asyncio.get_running_loop().create_future()  # until the signal cancels this task
        try:
            line.encode()
        except UnicodeEncodeError as exc:  # prompt_toolkit returns invalid bytes as surrogates
            raise Failure(_NOT_UTF_8) from exc
        yield line


async def _chunks() -> AsyncIterator[bytes]:
    """Yield the bytes of standard input as they are read."""
    while data := await _read():
        yield data


async def _lines() -> AsyncIterator[str]:
    """Yield each line of standard input without its line ending."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    pieces: list[str] = []  # of an incomplete line
    while True:
        data = await _read()
        try:
            *lines, rest = decode(data, final=not data).split("\n")
        except UnicodeDecodeError as exc:
            raise Failure(_NOT_UTF_8) from exc
        for line in lines:
            yield "".join([*pieces, line]).removesuffix("\r")
            pieces.clear()
        pieces.append(rest)
        if not data:
            break
    if line := "".join(pieces):
        yield line


async def _read() -> bytes:
    """Wait for bytes from standard input; return b"" at its end.

    A daemon thread reads, because a read cannot be cancelled, and because event loops support
    neither files nor, on Windows, the terminal.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[bytes] = loop.create_future()

    def set_result(data: bytes) -> None:
        if not result.cancelled():
            result.set_result(data)

    def read() -> None:
        try:
            data = os.read(sys.stdin.fileno(), _CHUNK)
        except OSError:
            data = b""  # the terminal is gone
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(set_result, data)

    threading.Thread(target=read, daemon=True).start()
    return await result
