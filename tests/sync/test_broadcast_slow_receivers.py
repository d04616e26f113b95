"""Receivers that do not keep up with a broadcast: what each policy makes of them."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.conftest import until
from tests.sync.conftest import connected
from ws6455 import Close, ConnectionClosedError
from ws6455.sync.client import ClientConnection
from ws6455.sync.server import ServerConnection, broadcast

CHUNK = bytes(1 << 20)


@contextlib.contextmanager
def behind(**options: Any) -> Iterator[tuple[ClientConnection, ServerConnection]]:
    """Give two ends, of which the client takes nothing and the server's socket is full."""
    with connected(compression=None, max_size=None, max_queue=1, **options) as (client, server):
        until(lambda: is_full(server) and client._reading_paused)
        yield client, server


def is_full(server: ServerConnection) -> bool:
    """Fill the socket; return whether it was full."""
    broadcast([server], CHUNK, slow="drop")
    return server.buffered_amount > 0


def read_up_to(client: ClientConnection, last: bytes) -> list[bytes]:
    """Receive messages to the given one; return those that are not filling."""
    messages = [b""]
    while messages[-1] != last:
        message = client.recv(10, decode=False)
        if message != CHUNK:
            messages.append(message)
    return messages[1:]


def test_buffering_is_the_default_and_does_not_wait() -> None:
    with behind() as (client, server):
        before = server.buffered_amount
        for _ in range(8):
            broadcast([server], CHUNK)
        assert server.buffered_amount > before + 4 * len(CHUNK)
        for number in range(3):
            broadcast([server], b"%d" % number)
        assert read_up_to(client, b"2") == [b"0", b"1", b"2"]


def test_a_slow_receiver_misses_what_is_dropped() -> None:
    with behind() as (client, server):
        before = server.buffered_amount
        for number in range(100):
            broadcast([server], b"%d" % number, slow="drop")
        assert server.buffered_amount <= before
        broadcast([server], b"last")
        assert read_up_to(client, b"last") == [b"last"]


def test_a_slow_receiver_gets_the_newest_of_what_is_coalesced() -> None:
    with behind() as (client, server):
        before = server.buffered_amount
        for number in range(100):
            broadcast([server], b"%d" % number, slow="coalesce")
        assert server.buffered_amount <= before
        assert read_up_to(client, b"99") == [b"99"]
        broadcast([server], b"then", slow="coalesce")
        assert read_up_to(client, b"then") == [b"then"]


def test_a_slow_receiver_is_disconnected() -> None:
    with behind(close_timeout=0.2) as (_, server):
        broadcast([server], b"x", slow="disconnect")
        with pytest.raises(ConnectionClosedError) as caught:
            server.recv(5)
        assert caught.value.sent == Close(1013, "too slow")


def test_what_is_kept_is_forgotten_when_the_connection_closes() -> None:
    with behind() as (client, server):
        broadcast([server], b"kept", slow="coalesce")
        client.abort()
        assert server.wait_closed(5)
        assert server.buffered_amount == 0
        assert server._coalesced is None


@pytest.mark.parametrize("slow", ["drop", "coalesce", "disconnect"])
def test_whoever_keeps_up_gets_everything(slow: Any) -> None:
    with connected(compression=None) as (client, server):
        for number in range(100):
            broadcast([server], b"%d" % number, slow=slow)
            assert client.recv(5) == b"%d" % number
