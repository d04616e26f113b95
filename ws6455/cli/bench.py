"""The command ``bench``, which measures an echo server."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from ..aio.client import connect
from ..aio.client_connection import ClientConnection
from ..exceptions import hide_credentials
from .failure import explain_failures
from .load import Load, Outcome, percentile
from .opening import opening_arguments
from .printable import one_line

__all__ = ["bench"]

_MIB = 1 << 20


async def bench(options: argparse.Namespace) -> int:
    """Run the command.

    Args:
        options: those of :func:`~.arguments.parse`.

    Returns:
        0 if every echo was received and correct, else 1.

    Raises:
        Failure: if a connection cannot be opened.
    """
    arguments = opening_arguments(options) | {
        "compression": None,
        "max_size": max(options.size, 1),
        # --in-flight limits the messages anyway. A client that stops reading could deadlock with
        # a server that waits until its echoes are read.
        "max_queue": None,
    }
    load = Load(size=options.size, in_flight=options.in_flight, text=options.text)
    connections: list[ClientConnection] = []
    try:
        with explain_failures(options.uri):
            for _ in range(options.connections):
                connections.append(await connect(options.uri, **arguments))
        outcome = await load.run(connections, options.seconds, lambda: _show_progress(load))
    finally:
        await asyncio.gather(*(connection.close() for connection in connections))
    _show(options, outcome)
    return 0 if outcome.echoes and not outcome.wrong and not outcome.failures else 1


async def _show_progress(load: Load) -> None:
    """Show the echoes per second, once a second, if standard error is a terminal."""
    if not sys.stderr.isatty():
        return
    started, before = time.perf_counter(), 0
    try:
        while True:
            await asyncio.sleep(1)
            count = len(load.latencies)
            elapsed = time.perf_counter() - started
            line = f"\r{elapsed:4.0f} s {count - before:10,} messages/s"
            print(line, end="", file=sys.stderr, flush=True)
            before = count
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _rows(options: argparse.Namespace, outcome: Outcome) -> list[tuple[str, str]]:
    per_second = outcome.echoes / outcome.seconds
    return [
        ("messages/s", f"{per_second:,.0f}"),
        ("MiB/s, each way", f"{per_second * options.size / _MIB:,.1f}"),
        ("latency, median", _latency(outcome, 50)),
        ("latency, 99th percentile", _latency(outcome, 99)),
        ("echoes compared", f"{outcome.echoes:,}"),
        ("wrong echoes", f"{outcome.wrong:,}"),
        ("connections lost or late", f"{len(outcome.failures):,}"),
    ]


def _latency(outcome: Outcome, percent: float) -> str:
    if not outcome.latencies:
        return "-"
    return f"{percentile(outcome.latencies, percent) * 1000:,.2f} ms"


def _show(options: argparse.Namespace, outcome: Outcome) -> None:
    """Print the table, and a line for each kind of failure."""
    kind = "Text" if options.text else "Binary"
    print(
        f"{hide_credentials(options.uri)}: {options.size:,} bytes of {kind}, "
        f"{options.connections:,} x {options.in_flight:,} in flight, {outcome.seconds:.1f} s"
    )
    for name, value in _rows(options, outcome):
        print(f"{name:<24}  {value:>14}")
    for failure in sorted(set(outcome.failures)):
        print(f"ws6455 bench: {one_line(failure)}", file=sys.stderr)
