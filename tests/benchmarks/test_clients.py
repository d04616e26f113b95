"""Every peer's client keeps the right number of messages in flight and counts the answers."""

import asyncio
import json
import re
from typing import Any

import pytest

from benchmarks import load
from benchmarks.clients import Flight
from benchmarks.message import payload
from benchmarks.peers import PEERS, Peer
from tests.benchmarks.programs import Counting, start

pytestmark = pytest.mark.usefixtures("compiler")

CLIENTS = [peer for peer in PEERS if peer.connects]

# Long enough for a counting server's silence and its few answers, even on a busy machine.
SECONDS = "1.0"


def by_name(peer: Peer) -> str:
    return peer.name


async def ended(*arguments: str) -> tuple[int, str, str]:
    """Run a client and return its exit status and both outputs."""

    def run() -> tuple[int, str, str]:
        with start("clients", *arguments) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    return await asyncio.to_thread(run)


async def figures(*arguments: str) -> dict[str, Any]:
    """Run a client that must succeed without errors, and return its figures."""
    status, out, err = await ended(*arguments)
    assert (status, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    assert found["seconds"] > 0
    assert 0 < found["p50"] <= found["p99"]
    assert found["cpu_seconds"] > 0
    return found


@pytest.mark.parametrize("peer", CLIENTS, ids=by_name)
async def test_every_answer_is_counted_and_no_other(peer: Peer) -> None:
    plain, other = Counting(40), Counting(30)
    deflate = ["--deflate"] if peer.compresses else []
    async with plain.serving(), other.serving():
        binary, text = await asyncio.gather(
            figures(
                *(peer.name, "--port", str(plain.port), "--seconds", SECONDS),
                *("--connections", "1", "--in-flight", "1", "--size", "70000"),
            ),
            figures(
                *(peer.name, "--port", str(other.port), "--seconds", SECONDS, "--text"),
                *("--connections", "3", "--in-flight", "4", "--size", "200"),
                *("--loop", "uvloop", *deflate),
            ),
        )
    assert binary["messages"] == 40
    assert set(plain.received) == {payload(70000)}
    assert plain.extensions == {None}
    assert text["messages"] == 30
    assert set(other.received) == {payload(200).decode()}
    (agreed,) = other.extensions
    assert (agreed is not None) == peer.compresses


@pytest.mark.parametrize("peer", CLIENTS, ids=by_name)
async def test_as_many_messages_are_in_flight_as_asked_for(peer: Peer) -> None:
    deflate = ["--deflate"] if peer.compresses else []
    flight = ("--connections", "3", "--in-flight", "7")
    with load.start_echo_server() as port:
        async with Counting(0).serving() as silent:
            unanswered, answered = await asyncio.gather(
                ended(peer.name, "--port", str(silent.port), "--seconds", "0.3", *flight),
                figures(peer.name, "--port", str(port), "--seconds", "0.3", *flight, *deflate),
            )
    assert len(silent.received) == 21
    status, out, err = unanswered
    assert (status, out) == (1, "")
    assert err.startswith(f"{peer.name}: no answer in 0.3")
    # The compiled server answers all the time: many more messages than were in flight.
    assert answered["messages"] > 21


def test_a_round_trip_is_from_a_message_to_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 11.0, 12.0, 15.0, 16.0])
    monkeypatch.setattr("benchmarks.clients.time.perf_counter", lambda: next(clock))
    Flight.round_trips.clear()
    flight = Flight(2)
    flight.start()
    for _ in range(4):
        flight.record_answer()
    # The third message was sent with the first answer, the fourth with the second.
    assert list(Flight.round_trips) == [1.0, 2.0, 4.0, 4.0]
    assert flight.answers == 4
    Flight.round_trips.clear()


# Errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("peer", CLIENTS, ids=by_name)
async def test_a_dead_port_is_an_error(peer: Peer) -> None:
    with load.start_echo_server() as port:
        pass
    status, out, err = await ended(peer.name, "--port", str(port))
    assert (status, out) == (1, "")
    assert err.startswith(f"{peer.name}: ")
    assert re.search("refused|Connect call failed", err)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["raw", "--port", "1"], "argument PEER: invalid choice: 'raw' (choose from 'ws6455', "),
        (["ws6455"], "the following arguments are required: --port"),
        (["picows", "--port", "1", "--deflate"], "picows has no permessage-deflate"),
        (["ws6455", "--port", "1", "--connections", "0"], "at least one connection"),
    ],
)
async def test_wrong_usage_ends_with_status_2(arguments: list[str], complaint: str) -> None:
    status, out, err = await ended(*arguments)
    assert (status, out) == (2, "")
    assert complaint in err
