"""Tests of serve: its sockets, the signatures of handlers, shutting down."""

import functools
import socket
import threading
from typing import Any

import pytest

from tests.contract.peers import connect_raw
from tests.sync.conftest import echo, serving, uri_of
from ws6455.sync.client import connect
from ws6455.sync.server import ServerConnection, serve


class Callable_:
    def __call__(self, connection: ServerConnection, path: str) -> None:
        connection.send(path)

    def method(self, connection: ServerConnection) -> None:
        connection.send("/one?x")


def with_path(connection: ServerConnection, path: str) -> None:
    connection.send(path)


def with_more(more: str, connection: ServerConnection, path: str) -> None:
    connection.send(path)


@pytest.mark.parametrize(
    "handler", [with_path, Callable_(), Callable_().method, functools.partial(with_more, "more")]
)
def test_a1_a_handler_takes_the_connection_and_perhaps_the_path(handler: Any) -> None:
    with serving(handler) as server, connect(uri_of(server) + "one?x") as client:
        assert client.recv() == "/one?x"


def test_a_handler_of_three_arguments_is_refused() -> None:
    with pytest.raises(TypeError, match="handler must take"):
        serve(lambda a, b, c: None, "127.0.0.1", 0)


def test_it_listens_at_once_and_serves_later() -> None:
    server = serve(echo, "127.0.0.1", 0, close_timeout=0.1)
    assert server.fileno() == server.socket.fileno()
    with connect_raw(server.socket.getsockname()[1]) as peer:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        assert peer.head().startswith("HTTP/1.1 101 ")
        server.shutdown()
    thread.join(5)
    server.serve_forever()  # ended already: returns


def test_a_server_that_never_served_can_be_shut_down() -> None:
    with serve(echo, "127.0.0.1", 0) as server:
        pass
    assert server.socket.fileno() == -1


def test_an_address_and_a_socket_exclude_each_other() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        with pytest.raises(ValueError, match="an address cannot be given"):
            serve(echo, "127.0.0.1", 0, sock=sock)
        with serving(echo, None, None, sock=sock) as server, connect(uri_of(server)) as client:
            client.send("x")
            assert client.recv() == "x"


def test_every_address_is_listened_on_by_default() -> None:
    with serving(echo, None, 0) as server:
        port = server.socket.getsockname()[1]
        hosts = ["127.0.0.1", "[::1]"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
        for host in hosts:
            with connect(f"ws://{host}:{port}/") as client:
                client.send(host)
                assert client.recv() == host


def test_a_handler_may_shut_its_own_server_down() -> None:
    def handler(connection: ServerConnection) -> None:
        assert connection.server is not None
        connection.server.shutdown()

    with serving(handler) as server, connect(uri_of(server)) as client:
        assert client.wait_closed(5)
        assert client.close_code == 1001


def test_a_shutdown_while_a_thread_starts_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    starting, shutting_down = threading.Event(), threading.Event()

    class Slow(threading.Thread):
        def start(self) -> None:
            starting.set()
            assert shutting_down.wait(5)
            super().start()

    with serving() as server:
        monkeypatch.setattr("ws6455.sync.server.threading.Thread", Slow)
        with socket.create_connection(("127.0.0.1", server.socket.getsockname()[1])):
            assert starting.wait(5)
            monkeypatch.undo()
            closing = threading.Thread(target=server.shutdown)
            closing.start()
            closing.join(0.05)  # it must wait for the thread to start, or would raise
            shutting_down.set()
            closing.join(5)
            assert not closing.is_alive()
            assert not server._threads
