"""Many threads at once on many connections, which end in every way and at any time."""

import contextlib
import itertools
import logging
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.sync.conftest import serving, uri_of
from ws6455 import ConnectionClosed
from ws6455.sync.client import ClientConnection, connect
from ws6455.sync.connection import Connection
from ws6455.sync.server import ServerConnection

SECONDS = 3.0
CLIENTS = 6
SIZES = (0, 1, 100, 5_000, 200_000)


def messages(name: str, seed: int) -> Iterator[str]:
    """Yield messages that tell their sender and their number."""
    sizes = random.Random(seed)
    for number in itertools.count():
        yield f"{name} {number} {'x' * sizes.choice(SIZES)}"


def send_all(connection: Connection, name: str, seed: int) -> None:
    with contextlib.suppress(ConnectionClosed):
        for message in messages(name, seed):
            connection.send(message)


def ping_all(connection: Connection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            assert connection.ping(ack_on_close=True).wait(10)


def receive_all(connection: Connection, seed: int) -> int:
    """Check that what each sender sends comes whole and in order; return how much did."""
    waits = random.Random(seed)
    next_of: dict[str, int] = {}
    try:
        while True:
            with contextlib.suppress(TimeoutError):
                message = connection.recv(waits.choice((None, 5, 0.001, 0)))
                assert isinstance(message, str)
                name, number, filling = message.split(" ")
                assert int(number) == next_of.get(name, 0)
                assert not filling.strip("x")
                next_of[name] = int(number) + 1
    except ConnectionClosed:
        return sum(next_of.values())


def run_until_closed(connection: Connection, name: str, seed: int) -> int:
    """Send, ping and receive in threads of their own; return how much was received."""
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(send_all, connection, f"{name}1", seed),
            pool.submit(send_all, connection, f"{name}2", seed + 1),
            pool.submit(ping_all, connection),
        ]
        received = pool.submit(receive_all, connection, seed).result(30)
        for job in jobs:
            job.result(30)
    return received


def end(client: ClientConnection, choice: random.Random) -> None:
    endings: list[Callable[[], object]] = [
        client.close,
        client.abort,
        client.start_closing,
        lambda: client.socket.shutdown(socket.SHUT_RDWR),
    ]
    with contextlib.suppress(OSError):  # the socket may have ended before
        choice.choice(endings)()


def connect_again_and_again(uri: str, seed: int) -> int:
    choice = random.Random(seed)
    received, stop_at = 0, time.monotonic() + SECONDS
    # On a busy machine every one of a client's connections may end before a message arrives.
    while time.monotonic() < stop_at or (not received and time.monotonic() < stop_at + 20):
        client = connect(uri, close_timeout=2, max_queue=choice.choice((1, 16)))
        timer = threading.Timer(choice.uniform(0, 0.3), end, (client, choice))
        timer.start()
        received += run_until_closed(client, "client", seed)
        timer.join()
        assert client.wait_closed(5)
    return received


def test_many_threads_on_connections_that_end_at_any_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)
    at_the_server: list[int] = []

    def handler(connection: ServerConnection) -> None:
        seed = len(at_the_server)
        closer = threading.Timer(random.Random(seed).uniform(0, 0.6), connection.start_closing)
        closer.start()
        at_the_server.append(run_until_closed(connection, "server", seed))
        closer.join()

    with serving(handler, close_timeout=2, max_queue=4) as server, ThreadPoolExecutor() as pool:
        clients: list[Future[int]] = [
            pool.submit(connect_again_and_again, uri_of(server), seed) for seed in range(CLIENTS)
        ]
        assert all(client.result(30) for client in clients)
    assert sum(at_the_server) > 0
    assert not [record.getMessage() for record in caplog.records]
