"""Fixtures of the contract's tests: each front end, in each role, and its peer."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pytest

from tests.contract.adapters import Asyncio, End, FrontEnd, Threads
from tests.contract.peers import Peer, connect_raw, listen_raw


@pytest.fixture(params=[Asyncio, Threads], ids=["asyncio", "threads"])
def front(request: pytest.FixtureRequest) -> Iterator[FrontEnd]:
    """Give each front end; afterwards nothing of it is left."""
    before = set(threading.enumerate())
    front_end = request.param()
    yield front_end
    front_end.close()
    until(lambda: not set(threading.enumerate()) - before)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what nothing can be waited on for; fail after five seconds."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.001)


class MakePair(Protocol):
    """Makes a connection with these options, and the raw peer at its other end."""

    def __call__(self, **options: Any) -> AbstractContextManager[tuple[End, Peer]]: ...


class MakeEnds(Protocol):
    """Makes two ends, of which the first has the role under test."""

    def __call__(self, **options: Any) -> AbstractContextManager[tuple[End, End]]: ...


@pytest.fixture(params=["client", "server"])
def role(request: pytest.FixtureRequest) -> str:
    """Give each role of the end that is under test."""
    role: str = request.param
    return role


@pytest.fixture
def pair(front: FrontEnd, role: str) -> MakePair:
    """Give what makes a connection and its raw peer."""

    @contextlib.contextmanager
    def make(**options: Any) -> Iterator[tuple[End, Peer]]:
        if role == "client":
            with listen_raw() as server, ThreadPoolExecutor(1) as pool:
                connecting = pool.submit(front.connect, server.uri, **options)
                peer = server.accept()
                peer.open()
                end = connecting.result()
                try:
                    yield end, peer
                finally:
                    peer.close()
                    end.wait_closed()
        else:
            with front.serve(**options) as serving, connect_raw(serving.port) as peer:
                assert peer.head().startswith("HTTP/1.1 101 ")
                yield serving.accept(), peer

    return make


@pytest.fixture
def ends(front: FrontEnd, role: str) -> MakeEnds:
    """Give what makes two ends, with the same options."""

    @contextlib.contextmanager
    def make(**options: Any) -> Iterator[tuple[End, End]]:
        with front.serve(**options) as server:
            client = front.connect(server.uri, **options)
            other = server.accept()
            try:
                yield (client, other) if role == "client" else (other, client)
            finally:
                client.close()

    return make
