"""The threaded front end while threads take turns as often as they can."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.edges.test_leaks import hurried_threads
from tests.sync.conftest import serving, uri_of
from ws6455 import ConnectionClosed
from ws6455.sync.client import ClientConnection, connect
from ws6455.sync.server import ServerConnection

MESSAGES = 60


@pytest.fixture(autouse=True)
def in_a_hurry() -> Iterator[None]:
    with hurried_threads():
        yield


def echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


def run_together(*calls: Callable[[], None]) -> None:
    """Run calls in a thread each; raise the first exception."""
    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result(30)


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_messages_of_each_thread_stay_whole_and_in_order(compression: str | None) -> None:
    with (
        serving(echo, compression=compression) as server,
        connect(uri_of(server), compression=compression, proxy=None) as connection,
    ):
        senders = 4
        received: list[str] = []

        def send(sender: int) -> None:
            for number in range(MESSAGES):
                connection.send(f"{sender} {number} " + "x" * random.choice([1, 100, 30_000]))
                if number % 10 == 0:
                    assert connection.ping().wait(30)

        def receive() -> None:
            received.extend(connection.recv(30, decode=True) for _ in range(senders * MESSAGES))

        run_together(receive, *(lambda sender=s: send(sender) for s in range(senders)))
        for sender in range(senders):
            numbers = [int(m.split()[1]) for m in received if int(m.split()[0]) == sender]
            assert numbers == list(range(MESSAGES))


def test_connections_that_end_while_threads_use_them() -> None:
    before = set(threading.enumerate())
    ends: list[Callable[[ClientConnection], object]] = [
        lambda connection: connection.close(),
        lambda connection: connection.abort(),
        lambda connection: connection.start_closing(4000, "enough"),
        lambda connection: connection.socket.shutdown(2),
    ]

    def use(seed: int) -> None:
        chance = random.Random(seed)
        connection = connect(uri_of(server), proxy=None, close_timeout=1)
        end = chance.choice(ends)

        def flood() -> None:
            while True:
                connection.send("x" * chance.choice([1, 1000, 100_000]))

        def receive() -> None:
            while True:
                assert set(connection.recv(30)) == {"x"}

        def finish() -> None:
            time.sleep(chance.random() / 50)
            end(connection)
            assert connection.wait_closed(10)
            raise connection.close_exc

        with ThreadPoolExecutor(4) as pool:
            calls = [pool.submit(call) for call in (flood, flood, receive, finish)]
            for call in calls:
                with pytest.raises(ConnectionClosed):
                    call.result(30)

    with serving(echo, close_timeout=1) as server:
        for seed in range(40):
            use(seed)
    deadline = time.monotonic() + 10
    while set(threading.enumerate()) - before:
        assert time.monotonic() < deadline, set(threading.enumerate()) - before
        time.sleep(0.01)
