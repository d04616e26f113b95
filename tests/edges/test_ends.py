"""The end of a connection: nothing that had arrived is lost, whatever fails first."""

import contextlib
import errno
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.aio.conftest import contexts
from tests.contract.adapters import End, FrontEnd
from tests.edges.blocking_peer import BlockingPeer
from ws6455 import (
    Close,
    ConnectionClosed,
    ConnectionClosedError,
    Frame,
    Opcode,
    ProtocolError,
    Side,
    State,
)

__all__ = ["contexts"]

MakePair = Callable[..., AbstractContextManager[tuple[End, BlockingPeer]]]
TLSContexts = tuple[ssl.SSLContext, ssl.SSLContext]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """List the records that an operator would look at."""
    return [str(r.msg) for r in caplog.records if r.levelno >= logging.WARNING]


LAST_CLOSE = Frame(Opcode.CLOSE, Close(4001, "enough").serialize())


@pytest.fixture(params=[False, True], ids=["plain", "TLS"])
def tls(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def connected(front: FrontEnd, role: str, tls: bool, contexts: TLSContexts) -> MakePair:
    """Give what makes a connection in each role, and a peer on a blocking socket."""
    server_context, client_context = contexts if tls else (None, None)

    @contextlib.contextmanager
    def make(**options: Any) -> Iterator[tuple[End, BlockingPeer]]:
        if role == "server":
            with front.serve(ssl=server_context, **options) as server:
                peer = BlockingPeer.connect(server.port, client_context)
                try:
                    yield server.accept(), peer
                finally:
                    peer.close()
            return
        with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
            accepting = pool.submit(BlockingPeer.accept, listener, server_context)
            uri = f"{'wss' if tls else 'ws'}://localhost:{listener.getsockname()[1]}/"
            if client_context is not None:
                options["ssl"] = client_context
            end = front.connect(uri, **options)
            peer = accepting.result()
            try:
                yield end, peer
            finally:
                peer.close()
                end.wait_closed()

    return make


def test_d04_calls_end_as_soon_as_a_close_frame_has_come(connected: MakePair) -> None:
    with connected(close_timeout=0.5) as (end, peer):
        end.ping()
        receiving = end.start("recv")
        started = time.monotonic()
        peer.send(LAST_CLOSE)  # and TCP stays open
        with pytest.raises(ConnectionClosedError) as caught:
            receiving.result(10)
        assert time.monotonic() - started < 0.4
        assert caught.value.rcvd == Close(4001, "enough")
        assert (end.state, end.close_code, end.close_reason) == (State.CLOSED, 4001, "enough")
        for method, *args in (("recv",), ("send", "x"), ("ping",), ("pong",)):
            with pytest.raises(ConnectionClosedError, match="received 4001"):
                end.call(method, *args)
        assert time.monotonic() - started < 0.4
        end.wait_closed()
        assert time.monotonic() - started < 2


def test_d04_messages_before_the_close_frame_are_delivered(connected: MakePair) -> None:
    with connected() as (end, peer):
        messages = [Frame(Opcode.TEXT, str(number).encode()) for number in range(10)]
        peer.send(*messages, Frame(Opcode.CLOSE, Close(1000, "").serialize()))
        assert end.start_iterating().result(10) == [str(number) for number in range(10)]
        assert end.close_code == 1000


@pytest.mark.parametrize("character", ["r", "é", "€", "😀"])
def test_d22_a_reason_that_is_too_long_is_cut_on_request(
    connected: MakePair, character: str
) -> None:
    with connected() as (end, peer):
        with pytest.raises(ProtocolError):
            end.call("close", 4000, character * 124)
        assert end.state is State.OPEN
        closing = end.start("close", 4000, character * 124, truncate=True)
        reason = peer.read_close().reason
        assert len(reason.encode()) <= 123
        assert len((reason + character).encode()) > 123
        assert reason.lstrip(character) == "…"
        peer.close()
        closing.result(10)


@pytest.mark.parametrize("resets", [False, True])
def test_d19_a_violation_and_the_end_in_one_read(
    connected: MakePair, resets: bool, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(10):
        with connected() as (end, peer):
            peer.send(Frame(Opcode.TEXT, b"part", fin=False), Frame(Opcode.PONG, b""))
            violation = Frame(Opcode.BINARY, b"not a continuation")
            if resets:
                peer.send(violation)
                peer.reset()
            else:
                peer.send(violation)
                peer.close()
            with pytest.raises(ConnectionClosedError) as caught:
                end.recv()
            assert caught.value.sent is None or caught.value.sent.code == 1002
            end.wait_closed()
    assert not warnings(caplog)


def test_d19_a_socket_that_cannot_be_shut_down_any_more(
    front: FrontEnd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    with front.serve(close_timeout=0.3) as server:
        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "shutdown", fail)
            client = front.connect(server.uri, close_timeout=0.3)
            server.accept().send("x")
            assert client.recv() == "x"
            client.close()
        client.wait_closed()
    assert not warnings(caplog)


def test_d31_a_flood_of_pings_and_a_reset_log_nothing(
    connected: MakePair, caplog: pytest.LogCaptureFixture
) -> None:
    with connected() as (end, peer):
        pings = Frame(Opcode.PING, b"").serialize(mask=peer.side is Side.CLIENT) * 40_000
        peer.socket.setblocking(False)
        with contextlib.suppress(OSError):  # the end may not read all of it
            while pings:
                pings = pings[peer.socket.send(pings) :]
        peer.reset()
        with pytest.raises(ConnectionClosedError):
            end.recv()
        end.wait_closed()
    assert not warnings(caplog)


@pytest.mark.parametrize("size", [100, 5_000, 100_000])
def test_d01_a_last_message_survives_the_reset_that_follows_it(
    connected: MakePair, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        with connected(max_queue=None) as (end, peer):
            flood = end.start_flood(b"x" * 1000)
            peer.wait_unread()
            peer.send(Frame(Opcode.TEXT, b"l" * size), LAST_CLOSE)
            peer.wait_delivered()
            peer.close()
            assert end.recv() == "l" * size
            with pytest.raises(ConnectionClosedError) as caught:
                end.recv()
            assert caught.value.rcvd == Close(4001, "enough")
            with pytest.raises(ConnectionClosed, match="received 4001"):
                flood.result(10)
    assert not warnings(caplog)
