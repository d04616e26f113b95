"""ws6455.compat.sync: the threaded front end, its options, warnings and loggers."""

import contextlib
import logging
import ssl
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.sync.conftest import connected, echo, serving, uri_of


@pytest.fixture
def connect(websockets: Any) -> Any:
    """Return `connect` of the threaded client."""
    return websockets.sync.client.connect


def test_a_connection_used_without_with_warns_once(connect: Any) -> None:
    with serving() as server:
        client = connect(uri_of(server))
        with pytest.warns(DeprecationWarning, match="legacy=True") as caught:
            client.send("x")
        assert caught[0].filename == __file__
        assert client.recv() == "x"
        client.close()
        for legacy in (True, None):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                connection = connect(uri_of(server), legacy=legacy)
                with contextlib.nullcontext(connection) if legacy else connection as client:
                    client.send("x")
                    assert client.recv() == "x"
                    client.close()


def test_connect_returns_a_reconnect(websockets: Any, connect: Any) -> None:
    client = websockets.sync.client
    with serving() as server:
        again = connect(uri_of(server), legacy=False, reconnect_delays=lambda: iter(()))
        assert isinstance(again, client.reconnect)
        with again as websocket:
            assert isinstance(websocket, client.ClientConnection)
            with pytest.raises(RuntimeError, match="reentrant"), again:
                pass
    with pytest.raises(websockets.InvalidURI):
        connect("http://localhost/", legacy=False)
    with pytest.raises(ValueError, match="ssl"):
        client.reconnect("ws://localhost/", ssl=ssl.create_default_context())


def test_unix_sockets(websockets: Any, tmp_path: Path) -> None:
    client, make = websockets.sync.client, websockets.sync.server.unix_serve
    path = tmp_path / "socket"
    with serving(echo, path, make=make):
        with client.unix_connect(path) as websocket:
            websocket.send("x")
            assert websocket.recv() == "x"
        with pytest.warns(DeprecationWarning, match="legacy=True"):
            client.unix_connect(path).close()
        client.unix_connect(path, legacy=True).close()
        for again in (client.unix_connect(path, legacy=False), client.unix_reconnect(path)):
            with again as websocket:
                assert isinstance(websocket, client.ClientConnection)


def test_old_option_names_warn_at_the_caller(websockets: Any) -> None:
    client = websockets.sync.client
    with serving() as server:
        with pytest.warns(DeprecationWarning, match="additional_headers") as caught:
            websocket = client.connect(uri_of(server), extra_headers={"X-Old": "1"}, legacy=True)
        assert caught[0].filename == __file__
        assert websocket.request.headers["X-Old"] == "1"
        websocket.close()
        with pytest.warns(DeprecationWarning, match="ssl_context is called ssl") as caught:
            client.connect(uri_of(server), ssl_context=None, legacy=True).close()
        assert caught[0].filename == __file__
        with pytest.warns(DeprecationWarning, match="additional_headers") as caught:
            again = client.reconnect(uri_of(server), extra_headers={"X-Old": "2"})
        assert caught[0].filename == __file__
        with again as websocket:
            assert websocket.request.headers["X-Old"] == "2"


def test_a_server_accepts_ssl_context(websockets: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.warns(DeprecationWarning, match="ssl_context is called ssl") as caught:
        server = websockets.sync.server.serve(print, "127.0.0.1", 0, ssl_context=context)
    server.shutdown()
    assert [warning.filename for warning in caught] == [__file__]


def test_broadcast_accepts_options_of_a_thread_pool(websockets: Any) -> None:
    broadcast = websockets.sync.server.broadcast
    with connected() as (client, server):
        broadcast([server], "to all", max_workers=3, thread_name_prefix="x", slow="drop")
        assert client.recv() == "to all"
        with pytest.raises(TypeError, match="takes no argument workers"):
            broadcast([server], "to all", workers=3)


def test_logger_names(websockets: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client, server = websockets.sync.client, websockets.sync.server

    def echo(websocket: Any) -> None:
        for message in websocket:
            websocket.send(message)

    with server.serve(echo, "127.0.0.1", 0) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            uri = f"ws://127.0.0.1:{listening.socket.getsockname()[1]}/"
            with client.connect(uri) as websocket:
                websocket.send("hello")
                assert websocket.recv(timeout=5) == "hello"
            for websocket in client.reconnect(uri):
                assert isinstance(websocket, client.ClientConnection)
                break
        finally:
            listening.shutdown()
            thread.join(5)
    names = {record.name for record in caplog.records}
    assert {"websockets.client", "websockets.server"} <= names
    assert not any(name.startswith("ws6455") for name in names)
