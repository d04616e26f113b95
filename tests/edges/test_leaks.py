"""What outlives its use: references, halves of lazy values, threads, listening sockets."""

import asyncio
import contextlib
import selectors
import sys
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

import ws6455
from tests.aio.conftest import no_collector
from tests.contract.conftest import until
from tests.edges.blocking_peer import BlockingPeer
from tests.sync.conftest import serving, uri_of
from ws6455 import ConnectionClosedError, Frame, Opcode, Protocol, Side
from ws6455.aio.connection import Connection
from ws6455.framing import masking
from ws6455.sync.client import connect
from ws6455.sync.watcher import Watcher

__all__ = ["no_collector"]


async def cancelled(coroutine: Coroutine[Any, Any, Any]) -> None:
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def timed_out(coroutine: Coroutine[Any, Any, Any]) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(coroutine, 0.01)


async def within_timeout(coroutine: Coroutine[Any, Any, Any]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await coroutine


async def receive_fragments(connection: Connection) -> None:
    async for _ in connection.recv_streaming():
        pass


CALLS: dict[str, Callable[[Connection], Coroutine[Any, Any, Any]]] = {
    "recv": lambda connection: connection.recv(),
    "recv_streaming": receive_fragments,
    "iteration": lambda connection: connection.__anext__(),
    "wait_closed": lambda connection: connection.wait_closed(),
}


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("stop", [cancelled, timed_out, within_timeout])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("loop_factory", [None, uvloop.new_event_loop])
def test_d32_a_cancelled_call_leaves_no_cycle(
    call: str,
    stop: Callable[[Coroutine[Any, Any, Any]], Coroutine[Any, Any, None]],
    loop_factory: None,
) -> None:
    references: list[weakref.ref[Any]] = []

    async def handler(connection: ws6455.ServerConnection) -> None:
        references.append(weakref.ref(connection))
        with contextlib.suppress(ws6455.ConnectionClosed):
            await stop(CALLS[call](connection))
            await connection.recv()

    async def run() -> None:
        async with ws6455.serve(handler, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            for _ in range(3):
                connection = await ws6455.connect(f"ws://127.0.0.1:{port}", proxy=None)
                references.append(weakref.ref(connection.protocol))
                await stop(CALLS[call](connection))
                await connection.close()
                del connection

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(run())
        runner.run(asyncio.sleep(0))
        assert [reference() for reference in references] == [None] * 6


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("size", [100, 100_000])
@pytest.mark.parametrize("loop_factory", [None, uvloop.new_event_loop])
def test_d32_a_reset_while_sending_leaves_no_cycle(size: int, loop_factory: None) -> None:
    references: list[weakref.ref[Any]] = []

    async def flood(connection: ws6455.ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosedError):
            while True:
                await connection.send(b"x" * 1000)

    async def handler(connection: ws6455.ServerConnection) -> None:
        references.append(weakref.ref(connection))
        flooding = asyncio.create_task(flood(connection))
        with contextlib.suppress(ConnectionClosedError):
            while True:
                await connection.recv()
        await flooding

    async def run() -> None:
        async with ws6455.serve(handler, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            for _ in range(5):
                async with asyncio.timeout(5):
                    await asyncio.to_thread(end_with_reset, port, size)
                await asyncio.sleep(0.05)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(run())
        runner.run(asyncio.sleep(0.01))
        assert [reference() for reference in references] == [None] * 5


def end_with_reset(port: int, size: int) -> None:
    peer = BlockingPeer.connect(port)
    peer.wait_unread()
    peer.send(Frame(Opcode.BINARY, b"x" * size), Frame(Opcode.BINARY, b"x" * size, fin=False))
    peer.close()


@contextlib.contextmanager
def hurried_threads() -> Iterator[None]:
    """Have threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def in_threads(call: Callable[[], Any], count: int = 8) -> list[Any]:
    """Call something in several threads at the same time."""
    results: list[Any] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait()
        try:
            results.append(call())
        except Exception as exc:
            results.append(exc)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_d33_masking_tables_are_whole_for_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_numpy", lambda: None)
    payload, key = bytes(range(256)) * 16, b"\xff\x80\x01\xfe"
    expected = masking.apply_mask(payload, key)
    with hurried_threads():
        for _ in range(30):
            masking._xor_tables.cache_clear()
            assert in_threads(lambda: masking.apply_mask(payload, key)) == [expected] * 8


def test_d33_every_thread_gets_the_same_id() -> None:
    with hurried_threads():
        for _ in range(200):
            protocol = Protocol(Side.CLIENT)
            ids = in_threads(lambda p=protocol: p.id, 4)  # type: ignore[misc]
            assert len(set(ids)) == 1
            assert ids[0].version == 4


class SmallSelector(selectors.SelectSelector):
    """A selector that watches three sockets at most, as select() on Windows watches 512."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if len(self.get_map()) > 3:
            raise ValueError("too many file descriptors in select()")
        return super().select(timeout)


def test_d34_the_watcher_outlives_a_selector_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    until(lambda: Watcher._instance is None)
    monkeypatch.setattr(selectors, "DefaultSelector", SmallSelector)
    with serving() as server:
        first = connect(uri_of(server), proxy=None)
        until(lambda: first.watched_events != 0)
        others = [connect(uri_of(server), proxy=None) for _ in range(4)]
        until(lambda: any(connection.wait_closed(0) for connection in others))
        refused = next(connection for connection in others if connection.wait_closed(0))
        with pytest.raises(ConnectionClosedError, match="too many file descriptors"):
            refused.recv()
        first.send("still here")
        assert first.recv(5) == "still here"
        assert first.ping().wait(5)  # the watcher's to receive
        for connection in (first, *others):
            connection.abort()


@pytest.mark.parametrize("turns", range(1, 5))
async def test_d35_a_cancelled_serve_forever_stops_listening(turns: int) -> None:
    server = await ws6455.serve(lambda connection: connection.wait_closed(), "127.0.0.1", 0)
    port = next(iter(server.sockets)).getsockname()[1]
    task = asyncio.create_task(server.serve_forever())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
