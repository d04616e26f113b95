"""Tests of a threaded client's connection; its opening handshake is in tests.contract as well."""

import contextlib
import socket
import time
import warnings

import pytest

from tests.sync.conftest import serving, uri_of
from ws6455.http1.uri import parse_uri
from ws6455.protocol.client import ClientProtocol
from ws6455.sync.client import ClientConnection, connect


def test_a_connection_used_without_with_warns_once() -> None:
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


def test_the_handshake_has_a_deadline_whatever_arrives() -> None:
    ours, theirs = socket.socketpair()
    protocol = ClientProtocol(parse_uri("ws://localhost/"))
    client = ClientConnection(ours, protocol)
    with theirs:
        theirs.sendall(b"HTTP/1.1 101 Switching")  # and no more
        started = time.monotonic()
        with pytest.raises(TimeoutError, match="timed out during opening handshake"):
            client.handshake(timeout=0.1)
        assert 0.05 < time.monotonic() - started < 2
        client.abort()
        assert theirs.recv(1 << 16).startswith(b"GET / HTTP/1.1\r\n")
