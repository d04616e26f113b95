"""Tests of ws6455.sync.sockets; the race itself is tested in tests/edges/test_connecting.py."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.conftest import until
from ws6455.client.deadline import Deadline
from ws6455.sync import sockets
from ws6455.sync.client import connect
from ws6455.sync.sockets import look_up, open_tcp


def within(seconds: float | None) -> Deadline:
    return Deadline(seconds, time.monotonic)


def lookups() -> int:
    return sum(thread.name == "ws6455-getaddrinfo" for thread in threading.enumerate())


def test_a_thread_is_used_only_where_there_is_something_to_wait_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = []

    def getaddrinfo(*args: Any, **options: Any) -> list[Any]:
        threads.append(threading.current_thread())
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    look_up("127.0.0.1", 80, within(5))
    look_up("server.example", 80, within(None))
    assert set(threads) == {threading.current_thread()}
    look_up("server.example", 80, within(5))
    assert threads[-1].name == "ws6455-getaddrinfo"
    assert threads[-1].daemon


def test_the_error_of_a_lookup_is_raised() -> None:
    with pytest.raises(socket.gaierror):
        look_up("127.0.0.1.invalid", 80, within(5))
    with pytest.raises(socket.gaierror):
        look_up("127.0.0.1", 80, within(5), family=socket.AF_INET6)


def test_lookups_that_nobody_waits_for_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def getaddrinfo(*args: Any, **options: Any) -> list[Any]:
        assert go_on.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(sockets, "_lookups", threading.BoundedSemaphore(3))
    try:
        with ThreadPoolExecutor(5) as pool:
            calls = [pool.submit(look_up, f"h{n}.example", 80, within(0.1)) for n in range(5)]
            assert [type(call.exception(5)) for call in calls] == [TimeoutError] * 5
        assert lookups() == 3
    finally:
        go_on.set()
    until(lambda: lookups() == 0)
    assert look_up("server.example", 80, within(5)) == []


def test_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(sockets, "_lookups", threading.BoundedSemaphore(1))
    monkeypatch.setattr(threading.Thread, "start", start)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="new thread"):
            look_up("server.example", 80, within(5))


def test_a_timeout_for_connecting() -> None:
    with socket.socket() as listener, socket.socket() as one, socket.socket() as other:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (one, other):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        host, port = listener.getsockname()
        text = f"cannot connect to 127.0.0.1:{port} within 0.1 s"
        with pytest.raises(TimeoutError, match=text):
            open_tcp(host, port, within(5), timeout=0.1)
        with pytest.raises(TimeoutError, match=text):
            connect(f"ws://127.0.0.1:{port}/", timeout=0.1)
        with pytest.raises(TimeoutError, match=r"after 0\.1 s, while connecting to"):
            connect(f"ws://127.0.0.1:{port}/", timeout=5, open_timeout=0.1)


def test_an_unknown_option() -> None:
    with pytest.raises(TypeError, match="no_such_option"):
        connect("ws://127.0.0.1:1/", no_such_option=1)
