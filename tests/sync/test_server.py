"""serve: its sockets, handlers' signatures, broadcast, credentials, routing."""

import functools
import logging
import os
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest
from werkzeug.routing import Map, Rule

from tests.contract.conftest import until
from tests.contract.raw import connect_raw
from tests.sync.conftest import connected, echo, serving, uri_of
from ws6455 import InvalidStatus
from ws6455.sync.client import connect
from ws6455.sync.router import route
from ws6455.sync.server import ServerConnection, basic_auth, broadcast, serve


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


def test_broadcast_reaches_all_who_are_open(caplog: pytest.LogCaptureFixture) -> None:
    with serving(max_size=None) as server:
        clients = [connect(uri_of(server)) for _ in range(5)]
        until(lambda: len(server.connections) == 5)
        everyone = server.connections
        broadcast(everyone, "text")
        broadcast(everyone, b"binary", text=True)
        assert [[c.recv(5), c.recv(5)] for c in clients] == [["text", "binary"]] * 5
        clients[0].close()
        broadcast(everyone, b"binary")
        assert [c.recv(5) for c in clients[1:]] == [b"binary"] * 4
        with pytest.raises(TypeError, match="must be str or bytes-like"):
            broadcast(everyone, ["fragment"])  # type: ignore[arg-type]  # the point of it
        for client in clients:
            client.close()
    assert all(record.levelno < logging.WARNING for record in caplog.records)


def test_broadcast_within_a_fragmented_message(caplog: pytest.LogCaptureFixture) -> None:
    with connected() as (client, server):

        def fragments() -> Any:
            yield "a"
            broadcast([server], "between")
            with pytest.raises(ExceptionGroup, match="skipped broadcast"):
                broadcast([server], "between", raise_exceptions=True)
            yield "b"

        server.send(fragments())
        assert client.recv() == "ab"
    assert [r.getMessage()[:17] for r in caplog.records] == ["skipped broadcast"]


def test_basic_auth() -> None:
    with serving(process_request=basic_auth("here", ("user", "secret"))) as server:
        uri = uri_of(server)
        for wrong in (uri, uri.replace("//", "//user:wrong@")):
            with pytest.raises(InvalidStatus, match="401") as caught:
                connect(wrong)
            assert "here" in caught.value.response.headers["WWW-Authenticate"]
        with connect(uri.replace("//", "//user:secret@")):
            until(lambda: [c.username for c in server.connections] == ["user"])


def test_routing() -> None:
    def greet(connection: ServerConnection, name: str) -> None:
        connection.send(name)

    urls = Map([Rule("/hello/<name>", endpoint=greet)])
    with serving(urls, make=route) as server:
        with connect(uri_of(server) + "hello/world") as client:
            assert client.recv() == "world"
        with pytest.raises(InvalidStatus, match="404"):
            connect(uri_of(server) + "nowhere")


def test_the_router_needs_werkzeug_only_when_it_is_called() -> None:
    program = (
        "import sys; sys.modules['werkzeug'] = None\n"
        "from ws6455.sync.router import route\n"
        "try: route(None)\n"
        "except ImportError as exc: print(exc)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'ws6455[routing]'" in done.stdout


def test_the_clients_address_is_believed_of_trusted_proxies_alone() -> None:
    seen = []

    def handler(connection: ServerConnection) -> None:
        seen.append(connection.client_address)

    for trusted in ((), ("127.0.0.0/8",)):
        with serving(handler, trusted_proxies=trusted) as server:
            headers = {"X-Forwarded-For": "192.0.2.1"}
            with connect(uri_of(server), additional_headers=headers) as client:
                client.wait_closed(5)
    assert seen == ["127.0.0.1", "192.0.2.1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_process_has_a_watcher_of_its_own() -> None:
    program = (
        "import os, threading\n"
        "from ws6455.sync.server import serve\n"
        "from ws6455.sync.client import connect\n"
        "s = serve(lambda c: [c.send(m) for m in c], '127.0.0.1', 0)\n"
        "threading.Thread(target=s.serve_forever, daemon=True).start()\n"
        "uri = f'ws://127.0.0.1:{s.socket.getsockname()[1]}/'\n"
        "with connect(uri):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        with connect(uri, close_timeout=1) as c:\n"
        "            c.send('x'); c.recv(); ok = c.ping().wait(5)\n"
        "        os._exit(0 if ok else 1)\n"
        "    assert os.waitpid(pid, 0)[1] == 0\n"
    )
    warnings_off = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    subprocess.run(warnings_off, check=True, timeout=20)
