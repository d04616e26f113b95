"""Tests of broadcast over threads; slow receivers are in test_broadcast_slow_receivers."""

import logging
from typing import Any

import pytest

from tests.contract.conftest import until
from tests.sync.conftest import connected, serving, uri_of
from ws6455.sync.client import connect
from ws6455.sync.server import broadcast


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
