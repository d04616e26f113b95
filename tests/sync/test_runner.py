"""ws6455.sync.runner: a server's connection in its thread, and what goes wrong there."""

import contextlib
import gc
import logging
import socket
import ssl
import struct
import time
import warnings
from typing import Any

import pytest

from tests.contract.conftest import until
from tests.contract.peers import connect_raw
from tests.sync.conftest import echo, serving, uri_of
from ws6455 import InvalidMessage
from ws6455.sync.client import connect
from ws6455.sync.readiness import readiness
from ws6455.sync.server import Server, ServerConnection


def port_of(server: Server) -> int:
    port: int = server.socket.getsockname()[1]
    return port


def check_echo(server: Server) -> None:
    with connect(uri_of(server)) as client:
        client.send("x")
        assert client.recv(5) == "x"


def test_a_connection_that_cannot_be_made_is_logged_and_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made: list[ServerConnection] = []

    def make(*args: Any, **options: Any) -> ServerConnection:
        if not made:
            made.append(None)  # type: ignore[arg-type]  # a place holder
            raise LookupError("a bug")
        made.append(ServerConnection(*args, **options))
        return made[-1]

    with serving(create_connection=make) as server:
        with connect_raw(port_of(server)) as peer:
            assert peer.bytes_to_end() == b""
        check_echo(server)
    errors = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in errors] == ["connection failed"]
    assert errors[0].exc_info is not None


def test_an_unforeseen_error_in_the_handshake_aborts_its_connection_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(ServerConnection):
        def handshake(self, *args: Any, **options: Any) -> None:
            super().handshake(*args, **options)
            if self.request is not None and self.request.path == "/bad":
                raise LookupError("a bug")

    with serving(create_connection=Broken) as server:
        with contextlib.suppress(InvalidMessage), connect(uri_of(server) + "bad") as client:
            assert client.wait_closed(5)
            assert client.close_code == 1006
        until(lambda: not server.connections)
        check_echo(server)
    errors = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in errors] == ["connection failed"]


def test_the_deadline_counts_the_tls_handshake(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    with serving(echo, ssl=contexts[0], open_timeout=1) as server:
        started = time.monotonic()
        with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as plain:
            # More than half of the time is gone when TLS is there; the rest is for the request.
            time.sleep(0.6)
            with contexts[1].wrap_socket(plain, server_hostname="localhost") as sock:
                with contextlib.suppress(ConnectionError):
                    assert sock.recv(1) == b""
                assert 0.9 < time.monotonic() - started < 1.5


def test_a_peer_that_leaves_during_the_tls_handshake_makes_no_noise(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(echo, ssl=contexts[0]) as server:
        with connect_raw(port_of(server), b"\x16\x03\x01"):
            pass
        until(lambda: any("before the opening handshake" in m for m in caplog.messages))
    assert all(record.levelno < logging.WARNING for record in caplog.records)


def test_a_peer_that_resets_before_tls_leaves_no_socket_open(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    with (
        warnings.catch_warnings(record=True) as caught,
        serving(echo, ssl=contexts[0]) as server,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        warnings.simplefilter("always")
        peer = socket.create_connection(listener.getsockname())
        sock, _ = listener.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        assert readiness(sock)(5)
        server._run(sock, server)
        assert sock.fileno() == -1
        gc.collect()
    assert [warning.message for warning in caught] == []
