"""Gains of the places where speed came before clarity: ``python -m benchmarks.places``.

Each place is measured against the plain way: a copy of the library in which its lines are replaced
(see `variants`). Both do the same work in one process, in turns, in several rounds; the gain is the
median of the rounds' ratios. Times include the call of the work itself, about 0.05 µs.

The table of docs/architecture.md has these figures.
"""

import argparse
import asyncio
import gc
import importlib.util
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import repeat

from . import workloads
from .variants import Edits, variant
from .workloads import EXCHANGES, IN_A_READ, RECEIVERS, WRITES, Work, Workload

__all__ = ["PLACES", "Figures", "Place", "main", "measure", "works"]

_BYTES = "B"


@dataclass(frozen=True)
class Place:
    """A place where speed came before clarity.

    Attributes:
        name: its name in the table and in docs/architecture.md.
        where: its file and its function or class, as in ``framing/masking.py:apply_mask``.
        workload: the work that both ways do.
        edits: the plain way: lines to replace.
        names: the plain way: global names to replace, by module.
        slots: False if the plain way has no `__slots__`.
        common: lines to replace for both ways.
        operations: number of messages, receivers or heads in one call of the work.
        unit: unit of a figure; with ``B`` the result of the work is the figure.
        result: turns a result of the work into one that is equal for both ways.
        requires: a module that has to be installed.
    """

    name: str
    where: str
    workload: Workload
    edits: Edits = field(default_factory=dict)
    names: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    slots: bool = True
    common: Edits = field(default_factory=dict)
    operations: int = 1
    unit: str = "µs"
    result: Callable[[object], object] = lambda result: result
    requires: str = "sys"

    @property
    def is_available(self) -> bool:
        """True if the place can be measured here."""
        return importlib.util.find_spec(self.requires) is not None


class PlainWaiter:
    """The plain way of a `Waiter`: a new future for each wait."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._future: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        """Wait until the task is woken."""
        self._future = self._loop.create_future()
        try:
            await self._future
        finally:
            self._future = None

    def wake(self) -> bool:
        """Wake the task in the next turn of the loop; return True if one waited."""
        if self._future is None or self._future.done():
            return False
        self._future.set_result(None)
        return True

    wake_soon = wake


def _mask_bytes(data: bytes, key: bytes) -> bytes:
    """Mask a payload byte by byte, as RFC 6455 §5.3 writes it."""
    return bytes(byte ^ key[index & 3] for index, byte in enumerate(data))


def _unmasked(parts: object) -> object:
    """Return header and payload of a masked frame of less than 126 bytes."""
    assert isinstance(parts, tuple)
    frame = b"".join(parts)
    return frame[:2], _mask_bytes(frame[6:], frame[2:6])


def _is_figure(result: object) -> object:
    """Return True for a figure in bytes, which is not the same for both ways."""
    return isinstance(result, float)


_WITHOUT_BUFFER = "StreamReaderProtocol"
_NO_FAST_PATH = ("self._may_be_fast = logger is None", "self._may_be_fast = False")
_NO_SHARED_LINES = ("SHARED_LINE_SIZE = 40", "SHARED_LINE_SIZE = -1")
_NO_SHARED_NAMES = ("MAX_SHARED_NAMES = 32", "MAX_SHARED_NAMES = -1")
_NO_CHECKED_NAMES = (
    "cached_name = functools.lru_cache(maxsize=256)",
    "cached_name = lambda check: check",
)
_HEAD_BY_LINE = ("if not self:", "if False:")
_NO_NUMPY: Edits = {"framing.masking": [("NUMPY_LIMIT = 2048", "NUMPY_LIMIT = 1 << 62")]}
_ONLY_INTEGERS = ("INTEGER_LIMIT = 1000", "INTEGER_LIMIT = 1 << 62")
_IN_PLACE = "protocol/receiver.py:Receiver.receive_in_place"
_NOT_IN_PLACE: Edits = {
    "protocol.receiver": [
        ("= frame.length - self._received >= LARGE and", "= False and"),
        ("if frame.length >= LARGE and (not self.reader.compressed):", "if False:"),
    ]
}
_MASKING = "framing/masking.py:apply_mask"

PLACES = (
    # The first: in a process that has freed a large block, allocating for each read costs less.
    Place(
        "one buffer for all reads",
        "aio/streams.py:StreamProtocol",
        workloads.echo(),
        {"aio.streams": [("StreamReaderProtocol, asyncio.BufferedProtocol", _WITHOUT_BUFFER)]},
        operations=EXCHANGES,
    ),
    Place(
        "receive a small message",
        "protocol/receiver.py:Receiver.receive_data",
        workloads.receive,
        {
            "protocol.receiver": [
                ("self._may_be_fast = logger is None", "self._may_be_fast = False")
            ]
        },
    ),
    Place(
        "masking without a call",
        "protocol/receiver.py:Receiver.receive_data",
        workloads.receive,
        {
            "protocol.receiver": [
                (
                    "key = _from_bytes(data[position + 2:start])",
                    "payload = apply_mask(data[start:end], bytes(data[position + 2:start]))",
                ),
                ("pad = key * PAD_FACTORS[length] >> PAD_SHIFTS[length]", "pass"),
                ("payload = (_from_bytes(data[start:end]) ^ pad).to_bytes(length)", "pass"),
            ]
        },
    ),
    Place(
        "a payload of 1 MiB in place",
        _IN_PLACE,
        workloads.receive_large(1 << 20),
        _NOT_IN_PLACE,
    ),
    Place(
        "a payload of 16 MiB in place",
        _IN_PLACE,
        workloads.receive_large(1 << 24),
        _NOT_IN_PLACE,
    ),
    Place(
        "memory for a payload of 16 MiB",
        _IN_PLACE,
        workloads.receive_large(1 << 24, memory=True),
        _NOT_IN_PLACE,
        unit=_BYTES,
        result=_is_figure,
    ),
    Place(
        "waking within the read",
        "aio/waiter.py:Waiter",
        workloads.echo(),
        names={"aio.connection": {"Waiter": PlainWaiter}},
        operations=EXCHANGES,
    ),
    Place(
        "sending a small message",
        "protocol/protocol.py:Protocol.send_message",
        workloads.send,
        {"protocol.protocol": [("if self._sends_plain:", "if False:")]},
    ),
    Place(
        "masking keys from a pool",
        "framing/frames.py:frame_parts",
        workloads.masked_frame,
        {"framing.frames": [("key = _new_masking_key()", "key = os.urandom(4)")]},
        result=_unmasked,
    ),
    Place(
        "writing to the socket",
        "aio/transport.py:TransportIO.flush",
        workloads.write,
        {"aio.transport": [("if os.name == 'posix' else", "if False else")]},
        operations=WRITES,
    ),
    Place(
        "collecting replies",
        "aio/sending.py:SendingConnection.send",
        workloads.echo(IN_A_READ),
        {"aio.sending": [("CORKED_FRAME_SIZE = 1 << 14", "CORKED_FRAME_SIZE = -1")]},
        operations=EXCHANGES * IN_A_READ,
    ),
    Place(
        "broadcast, one frame",
        "framing/shared_message.py:SharedMessage",
        workloads.broadcast(compressed=False),
        {
            "protocol.protocol": [
                ("if self._sends_plain and (not self._masked):", "if False:"),
                ("if self._masked or self._state", "if True or self._state"),
            ]
        },
        operations=RECEIVERS,
    ),
    Place(
        "broadcast, compressed once",
        "framing/shared_message.py:SharedMessage.compressed",
        workloads.broadcast(compressed=True),
        {"protocol.protocol": [("if self._masked or self._state", "if True or self._state")]},
        operations=RECEIVERS,
    ),
    Place(
        "head cut at once",
        "http1/head.py:HeadReader.feed",
        workloads.head,
        {"http1.head": [_HEAD_BY_LINE]},
        result=repr,
    ),
    Place(
        "shared header lines",
        "http1/caches.py:cached_line",
        workloads.head,
        {"http1.caches": [_NO_SHARED_LINES]},
        result=repr,
    ),
    Place(
        "shared header names",
        "http1/caches.py:cached_index",
        workloads.head,
        {"http1.caches": [_NO_SHARED_NAMES, _NO_CHECKED_NAMES]},
        result=repr,
    ),
    Place(
        "all three for a head",
        "http1/head.py:parse_request",
        workloads.head,
        {
            "http1.head": [_HEAD_BY_LINE],
            "http1.caches": [_NO_SHARED_LINES, _NO_SHARED_NAMES, _NO_CHECKED_NAMES],
        },
        result=repr,
    ),
    Place(
        "masking 64 B: one integer",
        _MASKING,
        workloads.mask(64),
        names={"framing.masking": {"apply_mask": _mask_bytes}},
    ),
    Place(
        "masking 64 B: one product",
        _MASKING,
        workloads.mask(64),
        {"framing.masking": [("if size < 126:", "if False:")]},
    ),
    Place(
        "masking 16 KiB: four translations",
        _MASKING,
        workloads.mask(1 << 14),
        {"framing.masking": [_ONLY_INTEGERS]},
        common=_NO_NUMPY,
    ),
    Place(
        "masking 16 KiB: numpy",
        _MASKING,
        workloads.mask(1 << 14),
        _NO_NUMPY,
        requires="numpy",
    ),
    Place(
        "slots: an echo",
        "protocol/protocol.py:Protocol",
        workloads.echo(),
        slots=False,
        operations=EXCHANGES,
    ),
    Place(
        "slots: a received message",
        "protocol/receiver.py:Receiver",
        workloads.receive,
        slots=False,
    ),
    Place(
        "slots: memory of a connection",
        "aio/connection.py:Connection",
        workloads.connection_size,
        slots=False,
        unit=_BYTES,
        result=_is_figure,
    ),
)


@contextmanager
def works(place: Place) -> Iterator[tuple[Work, Work]]:
    """Make the work of a place twice: in the library's way and in the plain way."""
    plain = {
        module: [*place.common.get(module, ()), *place.edits.get(module, ())]
        for module in {*place.common, *place.edits}
    }
    with ExitStack() as stack:
        fast = stack.enter_context(variant(place.common, {}))
        slow = stack.enter_context(variant(plain, place.names, place.slots))
        yield place.workload(fast, stack), place.workload(slow, stack)


# Measuring ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """Figures of a place, one of each round.

    Attributes:
        fast: microseconds, or bytes, of an operation in the library's way.
        plain: those in the plain way.
    """

    fast: Sequence[float]
    plain: Sequence[float]

    @property
    def gains(self) -> list[float]:
        """Ratio of the plain way to the library's way in each round, lowest first."""
        return sorted(plain / fast for fast, plain in zip(self.fast, self.plain, strict=True))


def measure(place: Place, rounds: int, seconds: float) -> Figures:
    """Measure a place.

    Args:
        place: the place.
        rounds: number of rounds; the order of the two ways changes with each.
        seconds: duration of each way in a round.
    """
    with works(place) as both, _without_collector():
        # Long enough for the interpreter to have optimised both.
        counts = [_calls_within(work, seconds) for work in both]
        figures: tuple[list[float], list[float]] = ([], [])
        for number in range(rounds):
            for way in (0, 1) if number % 2 else (1, 0):
                figures[way].append(_figure(place, both[way], counts[way]))
        return Figures(*figures)


@contextmanager
def _without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _calls_within(work: Work, seconds: float) -> int:
    """Return the number of calls that take the given time, at least one."""
    calls = 0
    started = time.perf_counter()
    while not calls or time.perf_counter() < started + seconds:
        work()
        calls += 1
    return calls


def _figure(place: Place, work: Work, calls: int) -> float:
    """Return the microseconds of an operation, or the result of the work if it is in bytes."""
    if place.unit == _BYTES:
        size = work()
        assert isinstance(size, float)
        return size
    # The other way has just run, and the interpreter adapts to what runs.
    for _ in repeat(None, calls // 10):
        work()
    started = time.perf_counter()
    for _ in repeat(None, calls):
        work()
    return (time.perf_counter() - started) / calls / place.operations * 1e6


# The command ----------------------------------------------------------------------------

_COLUMNS = f"{'place':36}{'plain':>12}{'here':>12}{'':4}{'gain':>6}  {'lowest, highest':15}  where"


def _line(place: Place, figures: Figures) -> str:
    """Return a line of the table."""
    gains = figures.gains
    plain, fast = (_significant(statistics.median(way)) for way in (figures.plain, figures.fast))
    spread = f"{gains[0]:.2f}, {gains[-1]:.2f}"
    return (
        f"{place.name:36}{plain:>12}{fast:>12} {place.unit:3}"
        f"{statistics.median(gains):6.2f}  {spread:15}  {place.where}"
    )


def _significant(value: float) -> str:
    """Return a figure with three significant digits."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 2 if no place has the name."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.places",
        description="Measure the places where speed came before clarity against the plain way.",
    )
    parser.add_argument("--places", default="*", metavar="PATTERN", help="default: all")
    parser.add_argument("--rounds", type=int, default=15, help="default: 15")
    parser.add_argument(
        "--seconds", type=float, default=0.05, help="of each way in a round; default: 0.05"
    )
    parser.add_argument("--quick", action="store_true", help="3 rounds of 1 ms: only a trial")
    given = parser.parse_args(arguments)
    rounds, seconds = (3, 0.001) if given.quick else (given.rounds, given.seconds)
    selected = [place for place in PLACES if fnmatch(place.name, given.places)]
    if not selected:
        print(f"no place has a name like {given.places!r}", file=sys.stderr)
        return 2
    implementation = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{implementation}, {os.cpu_count()} cores, {platform.machine()}; {rounds} rounds")
    print(_COLUMNS)
    for place in selected:
        if place.is_available:
            print(_line(place, measure(place, rounds, seconds)), flush=True)
        else:
            print(f"{place.name:36}{place.requires} is not installed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
