"""connect and reconnect: their options, redirects, proxies' errors, Unix sockets."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.peers import listen_raw
from tests.sync.conftest import echo, serving, uri_of
from ws6455 import InvalidStatus, Request, Response, SecurityError
from ws6455.sync.client import (
    ClientConnection,
    connect,
    reconnect,
    unix_connect,
    unix_reconnect,
)
from ws6455.sync.server import ServerConnection, unix_serve


def test_reconnect_connects_again_until_the_loop_is_left() -> None:
    with serving(lambda connection: None) as server:
        codes = []
        for client in reconnect(uri_of(server), stable_after=0):
            client.wait_closed()
            codes.append(client.close_code)
            if len(codes) == 3:
                break
        assert codes == [1000] * 3


def test_reconnect_waits_between_attempts_and_gives_up() -> None:
    with listen_raw() as gone:
        uri = gone.uri
    asked: list[float] = []

    def delays() -> Iterator[float]:
        for delay in (0.01, 0.02):
            asked.append(delay)
            yield delay

    with pytest.raises(OSError, match="refused"):
        list(reconnect(uri, reconnect_delays=delays))
    assert asked == [0.01, 0.02]


def test_reconnect_asks_what_is_fatal() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(404, "")

    with serving(process_request=refuse) as server:
        with pytest.raises(InvalidStatus, match="404"):
            list(reconnect(uri_of(server)))
        with pytest.raises(ZeroDivisionError):
            list(reconnect(uri_of(server), process_exception=lambda exc: ZeroDivisionError()))


def test_reconnect_is_not_entered_twice() -> None:
    with serving() as server:
        again = reconnect(uri_of(server), reconnect_delays=lambda: iter(()))
        with again as client:
            assert isinstance(client, ClientConnection)
            with pytest.raises(RuntimeError, match="reentrant"), again:
                pass


def test_redirects_are_followed_without_secrets_elsewhere() -> None:
    seen: list[tuple[str, bool]] = []

    def note(connection: ServerConnection, request: Request) -> None:
        seen.append((request.path, "Authorization" in request.headers))

    with serving(process_request=note) as target:

        def redirect(connection: ServerConnection, request: Request) -> Response | None:
            note(connection, request)
            response = connection.respond(302, "")
            response.headers["Location"] = "/here" if request.path == "/" else uri_of(target)
            return response

        with serving(process_request=redirect) as server:
            headers = {"Authorization": "Basic eDp5"}
            with connect(uri_of(server), additional_headers=headers) as client:
                client.send("x")
                assert client.recv() == "x"
            with (
                socket.create_connection(server.socket.getsockname()) as sock,
                pytest.raises(ValueError, match="given socket"),
            ):
                connect(uri_of(server), sock=sock)
    assert seen[:3] == [("/", True), ("/here", True), ("/", False)]


def test_endless_redirects_are_given_up() -> None:
    def redirect(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(302, "")
        response.headers["Location"] = "/again"
        return response

    with (
        serving(process_request=redirect) as server,
        pytest.raises(SecurityError, match="more than 10 redirects"),
    ):
        connect(uri_of(server))


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"

    def serve_again() -> None:
        server = unix_serve(echo, path)  # where one was before
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with unix_connect(path) as client:
            client.send("x")
            assert client.recv() == "x"
            assert client.request is not None
            assert client.request.headers["Host"] == "localhost"
        with unix_reconnect(path) as client:
            assert client.ping().wait(5)
        server.shutdown()
        thread.join(5)

    serve_again()
    serve_again()
    with pytest.raises(ValueError, match="either path or sock"):
        unix_connect()
    with pytest.raises(ValueError, match="either path or sock"):
        unix_connect(path, sock=object())


def test_a_socket_of_ones_own() -> None:
    with serving() as server:
        sock = socket.create_connection(server.socket.getsockname())
        with connect("ws://example/", sock=sock) as client:
            client.send("x")
            assert client.recv() == "x"
