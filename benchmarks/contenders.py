"""The turns of the programs: for each workload, how to start, load and measure a program."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import load
from .message import Message
from .peers import Peer
from .processes import TIMEOUT, Program, ProgramFailed, cpu_seconds, running
from .results import Sample
from .rows import MIB, Row, Workload

# The imports of a program that serves and connects.
IMPORTS = {
    "ws6455": "from ws6455 import connect, serve",
    "websockets": "from websockets.asyncio.client import connect\n"
    "from websockets.asyncio.server import serve",
    "aiohttp": "import aiohttp.web",
    "picows": "import picows",
    "wsproto": "import asyncio, wsproto",
    "tornado": "import tornado.web, tornado.websocket",
}

# Seconds of 1 MiB messages, in addition to the load's warm-up, before an ``after_large`` row.
_LARGE_SECONDS = 0.1

# Seconds between the last handshake and the reading of a server's memory.
_SETTLING = 0.2


@dataclass(frozen=True)
class Plan:
    """The rounds, the seconds of each turn, and the cores; None means no pinning.

    ``certificate`` is the file with the certificate and key of the TLS servers.
    """

    rounds: int
    seconds: float
    program_core: int | None
    load_core: int | None
    certificate: Path


# One turn of a program: loads it for the given number of seconds and returns a sample.
Turn = Callable[[float], Sample]

# Errors that exclude a program from its row but do not end the run.
FAILURES = (ProgramFailed, load.LoadFailed)


def prepare(row: Row, peer: Peer, plan: Plan) -> AbstractContextManager[Turn]:
    """Return a context manager that starts what lasts for all turns and yields the turn.

    Entering it and calling the turn raise one of ``FAILURES`` if the program fails.
    """
    return _PREPARE[row.workload](row, peer, plan)


@contextmanager
def _server(row: Row, peer: Peer, plan: Plan) -> Iterator[Turn]:
    """Start a fresh server in each turn: memory freed earlier changes the cost of reads."""

    def turn(seconds: float) -> Sample:
        with _serving(row, peer, plan) as (program, port):
            try:
                if row.after_large:
                    load.echo(port, 4, 1, _LARGE_SECONDS, Message(MIB), core=plan.load_core)
                cpu, since = program.cpu_seconds(), time.monotonic()
                found = _load(row, port, seconds, plan)
            except load.LoadFailed as error:
                raise ProgramFailed(f"{error}{program.last_log_line()}") from error
            used = (program.cpu_seconds() - cpu) / (time.monotonic() - since)
            # CPU time and elapsed time both include the load's warm-up.
            return _sample(found, used, found.busy)

    yield turn


@contextmanager
def _serving(row: Row, peer: Peer, plan: Plan) -> Iterator[tuple[Program, int]]:
    """Run the peer's server; yield the program and its port."""
    arguments = [peer.name, "--loop", row.loop, "--size", str(row.size)]
    arguments += ["--workload", "fan-out" if row.workload is Workload.FAN_OUT else "echo"]
    arguments += ["--deflate"] if row.deflate else []
    arguments += ["--tls", str(plan.certificate)] if row.tls else []
    with running("-m", "benchmarks.servers", *arguments, core=plan.program_core) as program:
        yield program, program.port()


def _load(row: Row, port: int, seconds: float, plan: Plan) -> load.Load:
    core = plan.load_core
    if row.tls:
        return load.tls_handshakes(port, plan.certificate, seconds, core=core)
    if row.workload is Workload.HANDSHAKES:
        return load.handshakes(port, row.connections, seconds, core=core)
    message = Message(row.size, row.text, row.deflate)
    if row.workload is Workload.FAN_OUT:
        return load.fan_out(port, row.connections, seconds, message, core=core)
    return load.echo(port, row.connections, row.in_flight, seconds, message, core=core)


def _sample(found: load.Load, used: float, busy: float) -> Sample:
    """Return the sample of a load; ``used`` is the tested program's share of a core."""
    if not found.messages:
        raise ProgramFailed("no message was answered")
    per_cpu_second = found.rate / used if used else None
    return Sample(found.rate, per_cpu_second, found.p50, found.p99, busy)


@contextmanager
def _client(row: Row, peer: Peer, plan: Plan) -> Iterator[Turn]:
    """Start one compiled server for all turns, and a fresh client in each turn."""
    before = _children()
    with load.start_echo_server(plan.load_core) as port:
        (server,) = _children() - before
        arguments = [peer.name, "--port", str(port), "--loop", row.loop, "--size", str(row.size)]
        arguments += ["--connections", str(row.connections), "--in-flight", str(row.in_flight)]
        arguments += ["--text"] if row.text else []
        arguments += ["--deflate"] if row.deflate else []

        def turn(seconds: float) -> Sample:
            timed = [*arguments, "--warm-up", str(load.WARM_UP), "--seconds", str(seconds)]
            cpu = cpu_seconds(server)
            with running("-m", "benchmarks.clients", *timed, core=plan.program_core) as program:
                output = program.output(seconds + TIMEOUT)
                status = program.process.wait()
                if status:
                    raise ProgramFailed(f"ended with status {status}{program.last_log_line()}")
            found = load.Load(**json.loads(output))
            # The client does not count its warm-up, but the server has served it.
            busy = (cpu_seconds(server) - cpu) / (load.WARM_UP + found.seconds)
            return _sample(found, found.cpu_seconds / found.seconds, busy)

        yield turn


def _children() -> set[int]:
    return set(map(int, Path("/proc/thread-self/children").read_text().split()))


@contextmanager
def _idle(row: Row, peer: Peer, plan: Plan) -> Iterator[Turn]:
    """Start a fresh server in each turn: memory freed earlier would be reused."""

    def hold(port: int, connections: int) -> AbstractContextManager[None]:
        return load.hold(port, connections, deflate=row.deflate, core=plan.load_core)

    def turn(seconds: float) -> Sample:
        with _serving(row, peer, plan) as (program, port):
            # The first connection allocates what all connections share, such as modules.
            with hold(port, 1):
                time.sleep(_SETTLING)
            before = program.private_bytes()
            with hold(port, row.connections):
                time.sleep(_SETTLING)
                taken = program.private_bytes() - before
        return Sample(taken / row.connections)

    yield turn


@contextmanager
def _import(row: Row, peer: Peer, plan: Plan) -> Iterator[Turn]:
    """In each turn, start an interpreter that imports the library, and one that does not."""

    def start(code: str) -> float:
        since = time.monotonic()
        with running("-c", code, core=plan.program_core) as program:
            program.output(TIMEOUT)
            if program.process.wait():
                raise ProgramFailed(f"cannot be imported{program.last_log_line()}")
            return time.monotonic() - since

    def turn(seconds: float) -> Sample:
        bare = start("")
        return Sample(start(IMPORTS[peer.name]) - bare)

    start(IMPORTS[peer.name])  # Fill the disk cache.
    yield turn


_PREPARE: Mapping[Workload, Callable[[Row, Peer, Plan], AbstractContextManager[Turn]]] = {
    Workload.ECHO: _server,
    Workload.FAN_OUT: _server,
    Workload.HANDSHAKES: _server,
    Workload.CLIENT: _client,
    Workload.IDLE: _idle,
    Workload.IMPORT: _import,
}
