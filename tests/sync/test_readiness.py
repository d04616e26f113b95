"""ws6455.sync.readiness: waiting until a socket can be read from or written to."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from ws6455.sync.readiness import readiness

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["poll", "select"])
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """Two connected sockets, on a system with poll and on one without."""
    if request.param == "select":
        monkeypatch.delattr(select, "poll")
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def fill(sock: socket.socket) -> None:
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(bytes(1 << 16))


def test_bytes_to_read(pair: Pair) -> None:
    one, other = pair
    wait = readiness(one)
    assert wait(0) is False
    other.send(b"x")
    assert wait(0) is True
    assert wait(None) is True  # nothing was read
    one.recv(1)
    assert wait(0) is False


def test_room_to_write(pair: Pair) -> None:
    one, other = pair
    wait = readiness(one, writing=True)
    assert wait(0) is True
    fill(one)
    assert wait(0) is False
    while not wait(0):
        other.recv(1 << 20)


@pytest.mark.parametrize("seconds", [0, -1, -1e9])
def test_no_time_to_wait_only_looks(pair: Pair, seconds: float) -> None:
    started = time.monotonic()
    assert readiness(pair[0])(seconds) is False
    assert time.monotonic() - started < 1


def test_it_waits_for_the_given_seconds(pair: Pair) -> None:
    started = time.monotonic()
    assert readiness(pair[0])(0.05) is False
    assert 0.04 < time.monotonic() - started < 2


@pytest.mark.parametrize("seconds", [None, 5, 1e12])
def test_it_ends_when_bytes_arrive(pair: Pair, seconds: float | None) -> None:
    one, other = pair
    timer = threading.Timer(0.02, other.send, [b"x"])
    timer.start()
    assert readiness(one)(seconds) is True
    timer.join()


@pytest.mark.parametrize("writing", [False, True])
def test_a_socket_whose_peer_has_gone_is_ready(pair: Pair, writing: bool) -> None:
    one, other = pair
    if writing:
        fill(one)
    other.close()
    assert readiness(one, writing=writing)(1) is True


def test_the_socket_need_not_be_kept() -> None:
    one, other = socket.socketpair()
    wait = readiness(one)
    number = one.detach()
    kept = socket.socket(fileno=number)
    with kept, other:
        other.send(b"x")
        if hasattr(select, "poll"):
            assert wait(1) is True
