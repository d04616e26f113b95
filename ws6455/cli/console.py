"""What a command shows, and what is typed or piped into it.

Messages go to standard output, everything else to standard error. Where a person looks on, rich
colours it and prompt_toolkit keeps the line being typed below it, if they are installed.
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
_NOT_UTF_8 = "the input is not UTF-8: --binary sends bytes"

#: A piece of a line, and its style in the words of rich: ``("> ", "green")``.
Part = tuple[str, str]


def printer(stream: TextIO) -> Callable[..., None]:
    """Return what prints a line made of parts.

    Args:
        stream: ``sys.stdout`` or ``sys.stderr``; coloured if it is a terminal and there is rich.
    """
    if stream.isatty():
        with contextlib.suppress(ImportError):
            from rich.console import Console as RichConsole
            from rich.text import Text

            # Looks the stream up for each line: it is another one while there is a prompt.
            rich = RichConsole(stderr=stream is sys.stderr, highlight=False)

            def print_coloured(*parts: Part) -> None:
                rich.print(Text.assemble(*parts), soft_wrap=True)

            return print_coloured

    def print_plain(*parts: Part) -> None:
        print("".join(text for text, _ in parts), file=stream, flush=True)

    return print_plain


@contextlib.contextmanager
def tracing(print_parts: Callable[..., None]) -> Iterator[Callable[[TraceLine], None]]:
    """Give what prints a line of the trace; a command whose trace nobody reads is cancelled.

    Args:
        print_parts: what :func:`printer` gives.

    Raises:
        OSError: at the end, if a line could not be printed. Where that happened, the connection
            would have taken it for an error of its own.
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
    """The input and the output of a conversation.

    Args:
        binary: whether bytes go through as they are, both ways.

    Attributes:
        typed: whether a person types the input.
        print_error: prints a line on standard error; see :func:`printer`.

    Raises:
        Failure: if bytes would go to a terminal.
    """

    def __init__(self, *, binary: bool = False) -> None:
        self.typed = sys.stdin.isatty()
        self._binary = binary
        self._shown = sys.stdout.isatty()
        if binary and self._shown:
            raise Failure("--binary would write bytes to the terminal: pipe the output", status=2)
        self._print = printer(sys.stdout)
        self.print_error = printer(sys.stderr)
        self._prompt = _prompt_session() if self.typed and self._shown else None

    @contextlib.contextmanager
    def taking_turns(self) -> Iterator[None]:
        """Let what is shown and the prompt not write into each other."""
        if self._prompt is None:
            yield
            return
        from prompt_toolkit.patch_stdout import patch_stdout

        with patch_stdout(raw=True):
            yield

    # Output -----------------------------------------------------------------------------

    def message(self, message: str | bytes) -> None:
        """Show a message received.

        Raises:
            BrokenPipeError: if nobody reads standard output any more.
        """
        if self._shown:
            self._print(("< ", "cyan"), (_displayed(message), ""))
            return
        data = message.encode() if isinstance(message, str) else message
        if not self._binary:
            data = (data if isinstance(message, str) else data.hex(" ").encode()) + b"\n"
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def note(self, text: str) -> None:
        """Show something about the connection, in one line."""
        self.print_error((one_line(text), "dim"))

    # Input ------------------------------------------------------------------------------

    def input(self) -> AsyncIterator[str | bytes]:
        """Give what is to be sent: each line as text, or bytes as they are read.

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


def _displayed(message: str | bytes) -> str:
    """Return a message for a terminal."""
    if isinstance(message, str):
        return printable(message)
    more = "..." if len(message) > _BYTES_SHOWN else ""
    unit = "byte" if len(message) == 1 else "bytes"
    return f"[{len(message)} {unit}] {message[:_BYTES_SHOWN].hex(' ')}{more}"


def _prompt_session() -> PromptSession[str] | None:
    """Return what reads lines with editing and a history; None without prompt_toolkit."""
    try:
        from prompt_toolkit import PromptSession
    except ImportError:
        return None
    return PromptSession("> ")


async def _prompted_lines(session: PromptSession[str]) -> AsyncIterator[str]:
    """Give each line typed at the prompt."""
    while True:
        try:
            line = await session.prompt_async(handle_sigint=False)  # asyncio's runner does
        except EOFError:
            return
        except KeyboardInterrupt:
            # The key: at the prompt the terminal makes no signal of it.
            signal.raise_signal(signal.SIGINT)
            await asyncio.get_running_loop().create_future()  # until that has cancelled this
        try:
            line.encode()
        except UnicodeEncodeError as exc:  # prompt_toolkit gives such bytes as surrogates
            raise Failure(_NOT_UTF_8) from exc
        yield line


async def _chunks() -> AsyncIterator[bytes]:
    """Give the bytes of standard input as they are read."""
    while data := await _read():
        yield data


async def _lines() -> AsyncIterator[str]:
    """Give each line of standard input without its end."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    pieces: list[str] = []  # of a line that has not ended
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
    """Return what standard input has, once it has something; b"" at its end.

    A thread reads, for which nobody waits at exit: a read cannot be called off, and an event loop
    by itself knows no files, and no terminal on Windows.
    """
    loop = asyncio.get_running_loop()
    there: asyncio.Future[bytes] = loop.create_future()

    def give(data: bytes) -> None:
        if not there.cancelled():
            there.set_result(data)

    def read() -> None:
        try:
            data = os.read(sys.stdin.fileno(), _CHUNK)
        except OSError:
            data = b""  # the terminal is gone
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(give, data)

    threading.Thread(target=read, daemon=True).start()
    return await there
