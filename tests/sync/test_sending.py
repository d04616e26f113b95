"""Tests of sending from threads: who waits for whom, and that frames stay whole."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sync.conftest import connected
from ws6455 import ConcurrencyError
from ws6455.sync.server import broadcast


def test_a_second_sender_within_a_fragmented_message_is_told() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def fragments() -> Iterator[str]:
        yield "a"
        begun.set()
        go_on.wait()
        yield "b"

    with connected() as (client, server), ThreadPoolExecutor(1) as pool:
        sending = pool.submit(client.send, fragments())
        begun.wait()
        for message in ("x", ["x"]):
            with pytest.raises(ConcurrencyError, match="fragmented message"):
                client.send(message)
        assert client.ping().wait(5)
        go_on.set()
        sending.result(5)
        client.send("c")
        assert [server.recv(), server.recv()] == ["ab", "c"]


def test_broadcasts_and_messages_of_several_threads_stay_whole() -> None:
    numbers = range(50)
    with connected(max_queue=None, max_size=None) as (client, server):

        def send(name: str) -> None:
            for number in numbers:
                server.send(f"{name} {number} " + name * 20_000)

        def send_to_all(name: str) -> None:
            for number in numbers:
                broadcast([server], f"{name} {number} " + name * 20_000)

        with ThreadPoolExecutor(4) as pool:
            sending = [pool.submit(send, name) for name in "ab"]
            sending += [pool.submit(send_to_all, name) for name in "cd"]
            received: dict[str, list[int]] = {name: [] for name in "abcd"}
            for _ in range(4 * len(numbers)):
                name, number, rest = str(client.recv(10)).split(" ")
                assert rest == name * 20_000
                received[name].append(int(number))
            for future in sending:
                future.result(10)
    assert received == {name: list(numbers) for name in "abcd"}
