"""Run one peer's client against an echo server and print the results as a line of JSON."""

import argparse
import asyncio
import importlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..message import payload
from ..peers import PEERS, Peer
from ..running import hide_numpy, run
from . import Flight, Options

# Seconds for all connections to open, and for all connections to end.
_TIMEOUT = 20.0

# The only task that may end by itself: it ends when all connections are open.
_GATE = "gate"


class ClientFailed(Exception):
    """A connection was refused or ended early; the text gives the reason."""


@dataclass(frozen=True)
class _Command:
    peer: Peer
    loop: str
    connections: int
    warm_up: float
    seconds: float
    options: Options


def main() -> int:
    """Run the command line and return the exit status."""
    command = _parse(sys.argv[1:])
    if command.peer.hides_numpy:
        hide_numpy()
    try:
        run(_measure(command), command.loop)
    except ClientFailed as error:
        print(f"{command.peer.name}: {error}", file=sys.stderr)
        return 1
    return 0


def _parse(arguments: Sequence[str]) -> _Command:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clients", description=__doc__)
    peers = {peer.name: peer for peer in PEERS if peer.connects}
    parser.add_argument("peer", metavar="PEER", choices=peers, help=", ".join(peers))
    parser.add_argument("--port", type=int, required=True, help="the server's port on 127.0.0.1")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--in-flight", type=int, default=1, help="messages per connection")
    parser.add_argument("--size", type=int, default=64, help="payload size in bytes")
    parser.add_argument("--warm-up", type=float, default=0.1, help="seconds before the counting")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--text", action="store_true", help="send Text, not Binary")
    parser.add_argument("--deflate", action="store_true", help="offer permessage-deflate")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    given = parser.parse_args(arguments)
    peer = peers[given.peer]
    if given.deflate and not peer.compresses:
        parser.error(f"{peer.name} has no permessage-deflate")
    if given.connections < 1 or given.in_flight < 1:
        parser.error("at least one connection, and one message in flight")
    data = payload(given.size)
    message = data.decode() if given.text else data
    options = Options(given.port, message, given.in_flight, given.deflate)
    timing = given.warm_up, given.seconds
    return _Command(peer, given.loop, given.connections, *timing, options)


async def _measure(command: _Command) -> None:
    """Open all connections, warm up, measure, and print the result."""
    exchange = importlib.import_module(f".{command.peer.module}", __package__).exchange
    flights = [Flight(command.options.in_flight) for _ in range(command.connections)]
    gate = asyncio.Barrier(len(flights) + 1)

    async def connect(flight: Flight) -> None:
        async def opened() -> None:
            await gate.wait()
            flight.start()

        await exchange(command.options, flight, opened)

    tasks = [asyncio.create_task(connect(flight)) for flight in flights]
    opening = asyncio.create_task(gate.wait(), name=_GATE)
    try:
        await _watch([*tasks, opening], _TIMEOUT)
        if not opening.done():
            raise ClientFailed(f"not all connections were open in {_TIMEOUT:g} s")
        await _watch(tasks, command.warm_up)
        Flight.round_trips.clear()
        before = sum(flight.answers for flight in flights)
        began, cpu_began = time.perf_counter(), time.process_time()
        await _watch(tasks, command.seconds)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
        messages = sum(flight.answers for flight in flights) - before
    finally:
        for task in (*tasks, opening):
            task.cancel()
        await asyncio.wait(tasks, timeout=_TIMEOUT)
    if not messages:
        raise ClientFailed(f"no answer in {seconds:g} s")
    round_trips = sorted(Flight.round_trips)
    p50, p99 = (round_trips[int(share * (len(round_trips) - 1))] for share in (0.5, 0.99))
    figures = {"messages": messages, "seconds": seconds, "p50": p50, "p99": p99}
    print(json.dumps({**figures, "cpu_seconds": cpu_seconds}), flush=True)


async def _watch(tasks: Sequence["asyncio.Task[object]"], seconds: float) -> None:
    """Wait for `seconds`; raise `ClientFailed` if a connection's task ends."""
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        error = task.exception()
        if error is not None:
            raise ClientFailed(f"{type(error).__name__}: {error}") from error
        if task.get_name() != _GATE:
            raise ClientFailed("the server ended a connection")


if __name__ == "__main__":
    sys.exit(main())
