"""ws6455.cli.load: what is sent, what counts as an echo, and the figures."""

import array
import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ws6455 import ServerConnection
from ws6455.cli.load import Load, Outcome, percentile
from ws6455.testing import MemoryServer


async def watch() -> None:
    await asyncio.Event().wait()


async def outcome_of(
    load: Load,
    handler: Callable[[ServerConnection], Awaitable[None]],
    seconds: float = 0.05,
    connections: int = 1,
) -> Outcome:
    """Run a load against a server in memory."""
    async with MemoryServer(handler) as server:
        clients = [await server.connect() for _ in range(connections)]
        outcome = await load.run(clients, seconds, watch)
        for client in clients:
            await client.close()
        return outcome


@pytest.mark.parametrize(
    ("size", "text", "in_flight", "connections"),
    [(0, False, 1, 1), (5, True, 1, 1), (16, False, 4, 2), (1000, True, 3, 1)],
)
async def test_every_echo_counts(size: int, text: bool, in_flight: int, connections: int) -> None:
    received: list[str | bytes] = []

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            received.append(message)
            await connection.send(message)

    load = Load(size=size, in_flight=in_flight, text=text)
    outcome = await outcome_of(load, echo, connections=connections)
    assert {len(message) for message in received} == {size}
    assert {type(message) for message in received} == {str if text else bytes}
    assert outcome.echoes == len(received) == len(outcome.latencies)
    assert outcome.echoes >= in_flight * connections
    assert list(outcome.latencies) == sorted(outcome.latencies)
    assert outcome.latencies[0] > 0
    assert (outcome.wrong, outcome.failures) == (0, [])
    assert outcome.seconds >= 0.05


async def test_messages_in_flight_differ() -> None:
    received: list[str | bytes] = []

    async def collect(connection: ServerConnection) -> None:
        for _ in range(50):
            received.append(await connection.recv())
        await connection.close()

    await outcome_of(Load(size=20, in_flight=50, text=False), collect)
    assert len(set(received)) == 50


async def test_a_wrong_echo_ends_the_connection_s_load() -> None:
    async def reverse(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message[::-1])

    outcome = await outcome_of(Load(size=20, in_flight=1, text=False), reverse, connections=2)
    assert (outcome.echoes, outcome.wrong) == (0, 2)


async def test_echoes_in_another_order_are_wrong() -> None:
    async def swap(connection: ServerConnection) -> None:
        first, second = await connection.recv(), await connection.recv()
        await connection.send(second)
        await connection.send(first)
        await connection.wait_closed()

    outcome = await outcome_of(Load(size=20, in_flight=2, text=False), swap)
    assert (outcome.echoes, outcome.wrong) == (0, 1)


async def test_a_lost_connection_is_a_failure() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(4000, "enough")

    outcome = await outcome_of(Load(size=20, in_flight=1, text=False), leave)
    assert outcome.echoes == 0
    (failure,) = outcome.failures
    assert "received 4000 (private use) enough" in failure


def test_percentiles() -> None:
    values = array.array("d", range(200))
    assert [percentile(values, percent) for percent in (0, 50, 99, 100)] == [0, 100, 198, 199]
