"""ws6455.sync.connector: an attempt to connect, its one deadline, and what it leaves behind."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.peers import listen_raw
from tests.sync.conftest import serving, uri_of
from ws6455 import InvalidStatus, Request, Response
from ws6455.sync.client import ClientConnection, connect
from ws6455.sync.server import ServerConnection


def test_redirects_share_one_deadline() -> None:
    with listen_raw() as silent:

        def slowly(connection: ServerConnection, request: Request) -> Response:
            time.sleep(0.6)
            response = connection.respond(302, "")
            response.headers["Location"] = silent.uri
            return response

        with serving(process_request=slowly) as server:
            started = time.monotonic()
            with pytest.raises(TimeoutError, match="during opening handshake, after 1 s"):
                connect(uri_of(server), open_timeout=1)
            assert 0.9 < time.monotonic() - started < 1.5


def test_a_head_that_dribbles_has_the_same_deadline() -> None:
    with listen_raw() as server, ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(connect, server.uri, open_timeout=0.2)
        peer = server.accept()
        for byte in b"HTTP/1.1 101 Switching Protocols":
            if connecting.done():
                break
            peer.send(bytes([byte]))
            time.sleep(0.05)
        with pytest.raises(TimeoutError, match=r"after 0\.2 s"):
            connecting.result(0)


def test_a_refusal_closes_the_socket() -> None:
    with listen_raw() as server, ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(connect, server.uri)
        peer = server.accept()
        peer.head()
        peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        with pytest.raises(InvalidStatus):
            connecting.result(5)
        assert peer.bytes_to_end() == b""


def test_a_connection_that_cannot_be_made_closes_the_socket() -> None:
    def fail(*args: Any, **options: Any) -> ClientConnection:
        raise LookupError

    with listen_raw() as server:
        with pytest.raises(LookupError):
            connect(server.uri, create_connection=fail)
        assert server.accept().bytes_to_end() == b""  # not one byte of a request
