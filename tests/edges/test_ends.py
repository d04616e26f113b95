"""The end of a connection: nothing that had arrived is lost, whatever fails first."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.aio.conftest import contexts
from tests.contract.adapters import End, FrontEnd
from tests.edges.blocking_peer import BlockingPeer
from ws6455 import Close, ConnectionClosed, ConnectionClosedError, Frame, Opcode

__all__ = ["contexts"]

MakePair = Callable[..., AbstractContextManager[tuple[End, BlockingPeer]]]
TLSContexts = tuple[ssl.SSLContext, ssl.SSLContext]

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


@pytest.mark.parametrize("size", [100, 5_000, 100_000])
def test_d01_a_last_message_survives_the_reset_that_follows_it(
    connected: MakePair, size: int
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
