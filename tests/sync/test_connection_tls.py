"""TLS: both directions at once, its end, and certificates."""

import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.conftest import until
from tests.contract.peers import connect_raw
from tests.sync.conftest import connected, echo, serving, uri_of
from ws6455.sync.client import connect
from ws6455.sync.connection import Connection

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


def receive_three(end: Connection) -> list[str | bytes]:
    return [end.recv() for _ in range(3)]


def test_large_messages_cross_each_other(contexts: Contexts) -> None:
    with (
        connected(*contexts, max_size=None, compression=None) as (client, server),
        ThreadPoolExecutor(8) as pool,
    ):
        large = bytes(range(256)) * 20_000
        sending = [pool.submit(end.send, large) for end in (client, server) for _ in range(3)]
        receiving = [pool.submit(receive_three, end) for end in (client, server)]
        for future in receiving:
            assert future.result(20) == [large] * 3
        for sent in sending:
            sent.result(5)


def test_a_close_comes_through_at_once_and_in_order(contexts: Contexts) -> None:
    with connected(*contexts) as (client, server):
        started = time.monotonic()
        server.close(4000, "why")
        assert client.wait_closed(5)
        assert (client.close_code, client.close_reason) == (4000, "why")
        assert time.monotonic() - started < 2


def test_pings_are_answered_while_both_are_busy(contexts: Contexts) -> None:
    with connected(*contexts) as (client, server):
        assert client.ping().wait(5)
        assert server.ping().wait(5)


def test_a_certificate_that_is_not_trusted_is_refused(contexts: Contexts) -> None:
    with serving(echo, ssl=contexts[0]) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(uri_of(server, "wss"))
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(uri_of(server, "wss"), ssl=contexts[1], server_hostname="elsewhere")
        with connect(uri_of(server, "wss"), ssl=contexts[1]) as client:
            client.send("x")
            assert client.recv() == "x"


def test_who_speaks_no_tls_is_cut_off(contexts: Contexts) -> None:
    with serving(echo, ssl=contexts[0], open_timeout=0.2) as server:
        port = server.socket.getsockname()[1]
        for request in (None, b""):
            with connect_raw(port, request) as peer:
                assert b"HTTP" not in peer.bytes_to_end()
        until(lambda: not server._opening)
