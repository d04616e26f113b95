"""The curves of growth: what is varied, and how each point is measured.

Time is the CPU time of the server's process, which other programs on the machine lengthen less
than the time of the clock; the least of some rounds. Memory of messages is the peak above what was
resident before, in a fresh process for every point, so that no point finds what another left;
that of connections is what is resident, in a fresh process for every round. Messages that come
one byte per read are the exception: see `growth_dribble`, where time is that of both ends.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from .growth_client import Probe, RawClient, fragmented_message, masked_frame

__all__ = ["Curve", "Plan", "Point", "connection_limit", "measure"]

KIB, MIB = 1 << 10, 1 << 20
FRAGMENT_SIZE = 16
# Have the allocator treat blocks from 64 KiB on alike. By default it keeps those below 32 MiB, and
# gives back larger ones, whose pages the system then has to clear each time: a step in time.
_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(64 * KIB)}

# How many copies of the payload a process may hold, besides a constant. Received: the message
# that the application gets; to this, text adds its bytes, for `decode` needs both, and a fragmented
# message its fragments, which may be asked for one by one. What is sent is not copied, but an echo
# is of what was received. An eighth is what a buffer that grows takes beforehand.
ONE_COPY, TWO_COPIES = 1.125, 2.125
# The constant: of a process, which touches pages for the first time; of Python's allocations.
PROCESS_CONSTANT, TRACED_CONSTANT = 512 * KIB, 16 * KIB
# What one read of 256 KiB brings of small fragments, 22 bytes each on the wire: an object for each
# until they are joined.
READ_CONSTANT = 12_000 * 240


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes:
        count: bytes, connections or fragments.
        seconds: CPU time for all of them.
        memory: peak above the rest, in bytes; the process's own payload is not in it.
        payload: of the message, in bytes; 0 for connections.
    """

    count: int
    seconds: float
    memory: int
    payload: int


@dataclass(frozen=True)
class Curve:
    """What one thing costs as it grows.

    Attributes:
        panel: the drawing that it belongs to.
        name: what distinguishes it there.
        unit: what is counted.
        copies: how many times the payload memory may be, besides the constant; None where
            memory belongs to what is counted, and has to be linear.
        constant: in bytes.
        points: by count, growing.
    """

    panel: str
    name: str
    unit: str
    copies: float | None
    constant: int
    points: Sequence[Point]


@dataclass(frozen=True)
class Plan:
    """How far the curves go, and how long they take.

    Attributes:
        size: bytes of the largest message.
        connections: the most of them.
        fragments: the most in a message.
        dribbled: bytes of the largest message that arrives one byte per read.
        rounds: how often each point's time is taken.
        seconds: CPU time for each point in a round, about.
    """

    size: int = 64 * MIB
    connections: int = 15_000
    fragments: int = 65_536
    dribbled: int = 64 * KIB
    rounds: int = 5
    seconds: float = 0.1


def connection_limit() -> int:
    """Return how many connections a process may have here; raises its soft limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - 64


def _steps(first: int, last: int) -> list[int]:
    """Return powers of 4 times `first`, and `last`."""
    steps = []
    while first < last:
        steps.append(first)
        first *= 4
    # A last step that is hardly one would tell nothing about growth.
    if steps and last < 2 * steps[-1]:
        steps.pop()
    return [*steps, last]


@contextmanager
def _fresh_server() -> Iterator[int]:
    """Run a server in a process of its own: its port."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.growth_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | _ENVIRONMENT,
        start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the other
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise ChildProcessError(f"the server ended with status {process.wait()}")
            yield int(line)
        finally:
            # Thousands of connections would be closed politely.
            process.kill()


def _probe(client: RawClient) -> Probe:
    client.command("probe")
    return Probe(*json.loads(client.receive()))


def _cost(client: RawClient, exchange: Callable[[], object], repetitions: int) -> float:
    """Return the CPU time of the server for one exchange."""
    before = _probe(client).cpu
    for _ in range(repetitions):
        exchange()
    return (_probe(client).cpu - before) / repetitions


def _exchanging(client: RawClient, frames: bytes) -> Callable[[], object]:
    def exchange() -> None:
        client.send(frames)
        client.receive()

    return exchange


def _requesting(client: RawClient, size: int) -> Callable[[], object]:
    client.command(f"prepare {size}")
    client.receive()

    def exchange() -> None:
        client.command("send")
        client.receive()

    return exchange


def _messages(
    path: str,
    make: Callable[[RawClient, int], Callable[[], object]],
    counts: Sequence[int],
    plan: Plan,
    unit_size: int = 1,
) -> list[Point]:
    """Measure messages: time on one server, memory on one for each.

    Args:
        path: what the server does with them.
        make: gives what exchanges a message of so many units.
        counts: of units.
        plan: how long.
        unit_size: bytes of payload.
    """
    seconds = dict.fromkeys(counts, float("inf"))
    with _fresh_server() as port, RawClient(port, path) as client:
        for _ in range(plan.rounds):
            for count in counts:
                exchange = make(client, count)
                once = _cost(client, exchange, 1)
                repetitions = min(max(int(plan.seconds / once), 1), 1000)
                cost = _cost(client, exchange, repetitions)
                seconds[count] = min(seconds[count], once, cost)
    return [
        Point(count, seconds[count], _peak(path, make, count), count * unit_size)
        for count in counts
    ]


def _peak(path: str, make: Callable[[RawClient, int], Callable[[], object]], count: int) -> int:
    with _fresh_server() as port, RawClient(port, path) as client:
        exchange = make(client, count)
        before = _probe(client).memory
        exchange()
        return _probe(client).peak - before


def _connections(counts: Sequence[int], rounds: int) -> list[Point]:
    """Open connections on a fresh server in every round; take the least of each count."""
    found = [_opened(counts) for _ in range(rounds)]
    return [
        Point(count, min(cpu for cpu, _ in costs), min(memory for _, memory in costs), 0)
        for count, *costs in zip(counts, *found, strict=True)
    ]


def _opened(counts: Sequence[int]) -> list[tuple[float, int]]:
    """Open connections, one after the other: CPU time and memory at each count."""
    costs = []
    number = 0
    with ExitStack() as stack:
        # Left last: when the server is gone, closing costs nothing.
        clients = stack.enter_context(ExitStack())
        port = stack.enter_context(_fresh_server())
        observer = stack.enter_context(RawClient(port))
        start = _probe(observer)
        for count in counts:
            while number < count:
                # One address does not have ports enough for all.
                source = f"127.0.0.{1 + number // 5000}"
                clients.enter_context(RawClient(port, source=source))
                number += 1
            now = _probe(observer)
            costs.append((now.cpu - start.cpu, now.memory - start.memory))
    return costs


def _dribble(counts: Sequence[int], rounds: int) -> dict[str, list[Point]]:
    arguments = [str(number) for number in (rounds, *counts)]
    output = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth_dribble", *arguments],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    return {
        name: [Point(count, seconds, memory, count) for count, seconds, memory in points]
        for name, points in json.loads(output).items()
    }


def measure(plan: Plan) -> Iterator[Curve]:
    """Measure every curve, one after the other.

    Raises:
        OSError: if the server under test ended, refused or did not answer.
        subprocess.CalledProcessError: if a process under test failed.
    """
    sizes = _steps(16, plan.size)

    def binary(client: RawClient, size: int) -> Callable[[], object]:
        return _exchanging(client, masked_frame(size))

    def text(client: RawClient, size: int) -> Callable[[], object]:
        return _exchanging(client, masked_frame(size, text=True))

    def fragmented(client: RawClient, fragments: int) -> Callable[[], object]:
        return _exchanging(client, fragmented_message(fragments, FRAGMENT_SIZE))

    for name, path, make, copies in (
        ("receive binary", "/receive", binary, ONE_COPY),
        ("receive text", "/receive", text, TWO_COPIES),
        ("send", "/send", _requesting, ONE_COPY),
        ("echo", "/echo", binary, ONE_COPY),
    ):
        points = _messages(path, make, sizes, plan)
        yield Curve("message size", name, "byte", copies, PROCESS_CONSTANT, points)
    points = _connections(_steps(1, plan.connections), plan.rounds)
    yield Curve("connections", "open", "connection", None, PROCESS_CONSTANT, points)
    counts = _steps(1, plan.fragments)
    points = _messages("/receive", fragmented, counts, plan, unit_size=FRAGMENT_SIZE)
    name = f"{FRAGMENT_SIZE} B each"
    constant = PROCESS_CONSTANT + READ_CONSTANT
    yield Curve("fragments in a message", name, "fragment", TWO_COPIES, constant, points)
    dribbled = _dribble(_steps(16, plan.dribbled), plan.rounds)
    for name, copies in (("binary", ONE_COPY), ("text", TWO_COPIES)):
        points = dribbled[name]
        yield Curve("message, one byte per read", name, "byte", copies, TRACED_CONSTANT, points)
