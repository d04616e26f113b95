"""The server: handlers, how they end, and how the server does."""

import logging
import threading

import pytest

from tests.contract.adapters import PATIENCE, End, FrontEnd
from tests.contract.conftest import until
from tests.contract.peers import connect_raw
from tests.frames import close
from ws6455 import ConnectionClosed, ProtocolError, State
from ws6455.testing import opening_request


def echo(end: End) -> None:
    while True:
        try:
            end.send(end.recv())
        except ConnectionClosed:
            return


def test_a_handler_that_returns_closes_with_1000(front: FrontEnd) -> None:
    with front.serve(lambda end: end.send("bye")) as server:
        client = front.connect(server.uri)
        assert client.recv() == "bye"
        client.wait_closed()
        assert (client.close_code, client.close_reason) == (1000, "")


def test_a_handler_that_fails_closes_with_1011_and_is_logged_once(
    front: FrontEnd, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(end: End) -> None:
        raise ZeroDivisionError

    with front.serve(fail) as server:
        client = front.connect(server.uri)
        client.wait_closed()
        assert client.close_code == 1011
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.getMessage() == "connection handler failed"
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError
    assert record.websocket.id  # type: ignore[attr-defined]  # the adapter's


def test_a_client_that_vanishes_is_no_failure(
    front: FrontEnd, caplog: pytest.LogCaptureFixture
) -> None:
    ended = threading.Event()

    def handler(end: End) -> None:
        try:
            end.recv()
        finally:
            ended.set()

    with front.serve(handler) as server:
        with connect_raw(server.port) as peer:
            peer.head()
            peer.reset()
        assert ended.wait(PATIENCE)
    assert all(record.levelno < logging.WARNING for record in caplog.records)


def test_open_and_closed_are_logged(front: FrontEnd, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with front.serve(echo) as server:
        front.connect(server.uri).close()
        until(lambda: "connection closed" in caplog.messages)
    kept = [m for m in caplog.messages if m.startswith(("connection", "server"))]
    assert kept == [
        f"server listening on ('127.0.0.1', {server.port})",
        "connection open",
        "connection closed",
        "server closing",
        "server closed",
    ]


def test_the_server_knows_its_connections(front: FrontEnd) -> None:
    with front.serve(echo) as server:
        clients = [front.connect(server.uri) for _ in range(3)]
        until(lambda: len(server.server.connections) == 3)
        clients[0].close()
        until(lambda: len(server.server.connections) == 2)
        for connection in server.server.connections:
            assert connection.server is server.server
            assert connection.state is State.OPEN


def test_shutting_down_closes_connections_with_1001(front: FrontEnd) -> None:
    with front.serve(echo) as server:
        clients = [front.connect(server.uri) for _ in range(3)]
        server.start_shutdown().result(PATIENCE)
        for client in clients:
            client.wait_closed()
            assert (client.close_code, client.close_reason) == (1001, "")
        assert server.server.connections == set()
        with pytest.raises(ConnectionRefusedError):
            front.connect(server.uri)
        server.start_shutdown().result(PATIENCE)


def test_shutting_down_with_another_code_and_reason(front: FrontEnd) -> None:
    with front.serve(echo) as server:
        client = front.connect(server.uri)
        until(lambda: len(server.server.connections) == 1)
        with pytest.raises(ProtocolError, match="invalid close code"):
            server.start_shutdown(True, 1006).result(PATIENCE)
        client.send("still here")
        assert client.recv() == "still here"
        server.start_shutdown(True, 1012, "back soon").result(PATIENCE)
        client.wait_closed()
        assert (client.close_code, client.close_reason) == (1012, "back soon")


def test_shutting_down_may_let_the_handlers_end(front: FrontEnd) -> None:
    with front.serve(echo) as server:
        client = front.connect(server.uri)
        until(lambda: len(server.server.connections) == 1)
        done = server.start_shutdown(False)
        client.send("still served")
        assert client.recv() == "still served"
        assert not done.done()
        client.close()
        done.result(PATIENCE)


def test_shutting_down_cuts_off_who_has_sent_no_request(front: FrontEnd) -> None:
    with front.serve(echo) as server, connect_raw(server.port, opening_request()[:20]) as peer:
        until(lambda: len(server.server._all) == 1)
        server.start_shutdown().result(PATIENCE)
        with pytest.raises((EOFError, ConnectionError)):
            peer.head()


def test_one_client_that_breaks_the_rules_does_not_disturb_another(front: FrontEnd) -> None:
    with front.serve(echo) as server:
        good = front.connect(server.uri)
        request = opening_request()
        for noise in (b"\x00" * 100, request + b"\xff" * 100, request[:-2]):
            with connect_raw(server.port, noise):
                pass
        with connect_raw(server.port) as peer:
            peer.head()
            peer.send(close(1000))
        good.send("undisturbed")
        assert good.recv() == "undisturbed"
