"""Runs a command and converts its result, its failure or a signal to the exit status."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import io
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

from .failure import Failure, system_reason
from .printable import one_line, printable

__all__ = ["run"]

# The signals besides SIGINT that are handled; by default they end a process immediately. Windows
# does not have all of them.
_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
# The exit status of a process that was ended by SIGPIPE, as in `yes | head`.
_OUTPUT_CLOSED = 141


class _SafeFormatter(logging.Formatter):
    """Replaces control characters in log lines, which may contain text from a peer."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def run(
    command: Callable[[argparse.Namespace], Coroutine[Any, Any, int]],
    options: argparse.Namespace,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> int:
    """Run a command. A signal cancels it, so that it can close its connections.

    A second Ctrl+C ends it immediately.

    Args:
        command: a coroutine function, called with `options`; returns the exit status.
        options: the options, including ``verbose`` and ``command``, the command's name.
        loop_factory: creates the event loop; None for the stock loop.

    Returns:
        The exit status.
    """
    _prepare_streams()
    log = logging.StreamHandler()
    log.setFormatter(_SafeFormatter("%(message)s"))
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, handlers=[log])
    caught = signal.SIGINT

    async def cancelled_by_signals() -> int:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def on_signal(number: int, _: FrameType | None) -> None:
            nonlocal caught
            caught = signal.Signals(number)
            loop.call_soon_threadsafe(task.cancel)

        before = {
            number: signal.signal(number, on_signal)
            for number in _SIGNALS
            if signal.getsignal(number) is not signal.SIG_IGN  # as set by `nohup`
        }
        try:
            return await command(options)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.get_loop()  # a factory that fails must do so before the coroutine is created
            return runner.run(cancelled_by_signals())
    except Failure as failure:
        print(f"ws6455 {options.command}: {one_line(str(failure))}", file=sys.stderr)
        return failure.status
    except OSError as exc:
        if exc.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        return _give_up_output(exc, options.command)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 128 + caught


def _give_up_output(exc: OSError, command: str) -> int:
    """Return the exit status of a command whose output can no longer be written."""
    status = _OUTPUT_CLOSED
    if exc.errno == errno.ENOSPC:
        status = 1
        with contextlib.suppress(OSError):  # standard error may be full, too
            print(f"ws6455 {command}: {system_reason(exc)}", file=sys.stderr)
    # Otherwise Python would try to write the buffered output at exit.
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(devnull, stream.fileno())
    return status


def _prepare_streams() -> None:
    """Replace closed standard streams, and make standard output accept every character."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # it was closed
            stream = open(os.devnull, mode)  # noqa: SIM115 - used until the process ends
            setattr(sys, name, stream)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for terminals that do not use UTF-8
