"""Tests of a threaded client's connection; its opening handshake is in tests.contract as well."""

import socket
import time

import pytest

from ws6455.http1.uri import parse_uri
from ws6455.protocol.client import ClientProtocol
from ws6455.sync.client import ClientConnection


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
