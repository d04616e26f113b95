"""The curves of growth and the measurement of their points.

- Time is the CPU time of the server's process, which other programs on the machine affect less than
  elapsed time. It is the minimum of several rounds.
- Memory of messages is the peak above the resident memory before the message. Each point has a
  fresh process, so that points do not affect each other.
- Memory of connections is the resident memory, in a fresh process for every round.

Messages that arrive one byte per read are measured by `growth_dribble`, where time is the CPU time
of both ends.
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
# Make the allocator treat all blocks of 64 KiB and more alike. By default it keeps blocks below
# 32 MiB, but returns larger ones to the system, which must then clear their pages each time. That
# would add a step to the time.
_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(64 * KIB)}

# Copies of the payload that a process may hold, besides a constant. A received message takes one
# copy. Text takes a second one, since `decode` needs the bytes and the string. A fragmented message
# takes a second one too, since its fragments can be received one by one. A sent message is not
# copied; an echo takes the copy of the received message. A growing buffer takes an eighth in
# advance.
ONE_COPY, TWO_COPIES = 1.125, 2.125
# The constants in bytes: for a process, which touches pages for the first time, and for Python's
# traced allocations.
PROCESS_CONSTANT, TRACED_CONSTANT = 512 * KIB, 16 * KIB
# One read of 256 KiB can contain 12,000 small fragments of 22 bytes each on the wire. Each is an
# object of its own until they are joined.
READ_CONSTANT = 12_000 * 240


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes:
        count: number of bytes, connections or fragments.
        seconds: CPU time for all of them.
        memory: memory above the starting point, in bytes; excludes a payload prepared before.
        payload: payload of the message in bytes; 0 for connections.
    """

    count: int
    seconds: float
    memory: int
    payload: int


@dataclass(frozen=True)
class Curve:
    """A cost as a function of size or number.

    Attributes:
        panel: title of the panel in the plot.
        name: label in the panel.
        unit: unit of the counts.
        copies: copies of the payload that memory may hold, besides the constant; None if memory
            must be linear in the count instead.
        constant: allowed constant memory in bytes.
        points: points in the order of their counts.
    """

    panel: str
    name: str
    unit: str
    copies: float | None
    constant: int
    points: Sequence[Point]


@dataclass(frozen=True)
class Plan:
    """Ranges of the curves and effort per point.

    Attributes:
        size: size of the largest message in bytes.
        connections: maximum number of connections.
        fragments: maximum number of fragments in a message.
        dribbled: size in bytes of the largest message that arrives one byte per read.
        rounds: number of time measurements for each point.
        seconds: approximate CPU time for each point in a round.
    """

    size: int = 64 * MIB
    connections: int = 15_000
    fragments: int = 65_536
    dribbled: int = 64 * KIB
    rounds: int = 5
    seconds: float = 0.1


def connection_limit() -> int:
    """Raise the soft limit of open files, and return the possible number of connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - 64


def _steps(first: int, last: int) -> list[int]:
    """Return powers of 4 times `first`, and `last`."""
    steps = []
    while first < last:
        steps.append(first)
        first *= 4
    # A short last step would say nothing about growth.
    if steps and last < 2 * steps[-1]:
        steps.pop()
    return [*steps, last]


@contextmanager
def _fresh_server() -> Iterator[int]:
    """Run a server in a new process; yield its port."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.growth_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | _ENVIRONMENT,
        start_new_session=True,  # Ctrl-C must reach the parent only, which then ends the child
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise ChildProcessError(f"the server ended with status {process.wait()}")
            yield int(line)
        finally:
            # Kill, since closing thousands of connections normally takes long.
            process.kill()


def _probe(client: RawClient) -> Probe:
    client.command("probe")
    return Probe(*json.loads(client.receive()))


def _cost(client: RawClient, exchange: Callable[[], object], repetitions: int) -> float:
    """Return the server's CPU time for one exchange."""
    before = _probe(client).cpu
    for _ in range(repetitions):
        exchange()
    return (_probe(client).cpu - before) / repetitions


def _exchange_of(client: RawClient, frames: bytes) -> Callable[[], object]:
    def exchange() -> None:
        client.send(frames)
        client.receive()

    return exchange


def _request_of(client: RawClient, size: int) -> Callable[[], object]:
    client.command(f"prepare {size}")
    client.receive()

    def exchange() -> None:
        client.command("send")
        client.receive()

    return exchange


def _message_points(
    path: str,
    make: Callable[[RawClient, int], Callable[[], object]],
    counts: Sequence[int],
    plan: Plan,
    unit_size: int = 1,
) -> list[Point]:
    """Measure messages: the time on one server, the memory on a fresh server for each count.

    Args:
        path: path that selects the server's behaviour.
        make: returns a function that exchanges a message of a number of units.
        counts: numbers of units.
        plan: effort per point.
        unit_size: payload of a unit in bytes.
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


def _connection_points(counts: Sequence[int], rounds: int) -> list[Point]:
    """Open connections on a fresh server in every round; take the minimum for each count."""
    found = [_open_connections(counts) for _ in range(rounds)]
    return [
        Point(count, min(cpu for cpu, _ in costs), min(memory for _, memory in costs), 0)
        for count, *costs in zip(counts, *found, strict=True)
    ]


def _open_connections(counts: Sequence[int]) -> list[tuple[float, int]]:
    """Open connections one by one; return CPU time and memory at each count."""
    costs = []
    number = 0
    with ExitStack() as stack:
        # Entered first, so left last: closing is cheap once the server is gone.
        clients = stack.enter_context(ExitStack())
        port = stack.enter_context(_fresh_server())
        observer = stack.enter_context(RawClient(port))
        start = _probe(observer)
        for count in counts:
            while number < count:
                # One address does not have enough ports.
                source = f"127.0.0.{1 + number // 5000}"
                clients.enter_context(RawClient(port, source=source))
                number += 1
            now = _probe(observer)
            costs.append((now.cpu - start.cpu, now.memory - start.memory))
    return costs


def _dribble_points(counts: Sequence[int], rounds: int) -> dict[str, list[Point]]:
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
    """Measure and yield the curves one by one.

    Raises:
        OSError: the server under test ended, refused or did not answer.
        subprocess.CalledProcessError: a process under test failed.
    """
    sizes = _steps(16, plan.size)

    def binary(client: RawClient, size: int) -> Callable[[], object]:
        return _exchange_of(client, masked_frame(size))

    def text(client: RawClient, size: int) -> Callable[[], object]:
        return _exchange_of(client, masked_frame(size, text=True))

    def fragmented(client: RawClient, fragments: int) -> Callable[[], object]:
        return _exchange_of(client, fragmented_message(fragments, FRAGMENT_SIZE))

    for name, path, make, copies in (
        ("receive binary", "/receive", binary, ONE_COPY),
        ("receive text", "/receive", text, TWO_COPIES),
        ("send", "/send", _request_of, ONE_COPY),
        ("echo", "/echo", binary, ONE_COPY),
    ):
        points = _message_points(path, make, sizes, plan)
        yield Curve("message size", name, "byte", copies, PROCESS_CONSTANT, points)
    points = _connection_points(_steps(1, plan.connections), plan.rounds)
    yield Curve("connections", "open", "connection", None, PROCESS_CONSTANT, points)
    counts = _steps(1, plan.fragments)
    points = _message_points("/receive", fragmented, counts, plan, unit_size=FRAGMENT_SIZE)
    name = f"{FRAGMENT_SIZE} B each"
    constant = PROCESS_CONSTANT + READ_CONSTANT
    yield Curve("fragments in a message", name, "fragment", TWO_COPIES, constant, points)
    dribbled = _dribble_points(_steps(16, plan.dribbled), plan.rounds)
    for name, copies in (("binary", ONE_COPY), ("text", TWO_COPIES)):
        points = dribbled[name]
        yield Curve("message, one byte per read", name, "byte", copies, TRACED_CONSTANT, points)
