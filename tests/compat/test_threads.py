"""The threaded front end under the names of `websockets`."""

import ssl
from typing import Any

import pytest

from tests.sync.conftest import connected, serving, uri_of


def test_former_option_names_warn_at_the_program(websockets: Any) -> None:
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


def test_a_server_takes_the_former_name_of_ssl(websockets: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.warns(DeprecationWarning, match="ssl_context is called ssl") as caught:
        server = websockets.sync.server.serve(print, "127.0.0.1", 0, ssl_context=context)
    server.shutdown()
    assert [warning.filename for warning in caught] == [__file__]


def test_broadcast_takes_options_of_a_pool_of_threads(websockets: Any) -> None:
    broadcast = websockets.sync.server.broadcast
    with connected() as (client, server):
        broadcast([server], "to all", max_workers=3, thread_name_prefix="x", slow="drop")
        assert client.recv() == "to all"
        with pytest.raises(TypeError, match="takes no argument workers"):
            broadcast([server], "to all", workers=3)
