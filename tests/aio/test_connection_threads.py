"""Calls from a thread that the connection does not belong to."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.aio.conftest import client_and_peer, connected
from ws6455 import ClientConnection, ConnectionClosedOK, broadcast


async def broadcast_to(client: ClientConnection) -> None:
    broadcast([client], "x", raise_exceptions=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.send("x"),
        lambda client: client.send(["x"]),
        lambda client: client.ping(),
        lambda client: client.pong(),
        lambda client: client.close(),
        lambda client: client.recv(),
        broadcast_to,
    ],
    ids=["send", "send fragments", "ping", "pong", "close", "recv", "broadcast"],
)
async def test_a21_another_threads_loop_gets_an_error_and_harms_nothing(
    call: Callable[[ClientConnection], Coroutine[Any, Any, Any]],
) -> None:
    async with client_and_peer(compression=None) as (client, peer):
        error: list[BaseException] = []

        def elsewhere() -> None:
            try:
                asyncio.run(call(client))
            except* RuntimeError as exc:
                error.append(exc.exceptions[0])

        await asyncio.to_thread(elsewhere)
        (raised,) = error
        while isinstance(raised, ExceptionGroup):
            (raised,) = raised.exceptions
        assert "loop" in str(raised)
        await client.send("y")
        assert (await peer.valid_frame()).data == b"y"


async def test_a21_broadcast_from_a_plain_thread_raises() -> None:
    async with connected() as (client, _):
        with pytest.raises(RuntimeError, match="no running event loop"):
            await asyncio.to_thread(broadcast, [client], "x")


async def test_a21_the_way_that_the_error_names() -> None:
    async with connected() as (client, server):
        loop = asyncio.get_running_loop()

        def elsewhere() -> None:
            asyncio.run_coroutine_threadsafe(client.send("sent"), loop).result(5)
            loop.call_soon_threadsafe(broadcast, [client], "broadcast")

        thread = threading.Thread(target=elsewhere)
        thread.start()
        assert [await server.recv(), await server.recv()] == ["sent", "broadcast"]
        await asyncio.to_thread(thread.join)
        await client.close()
        with pytest.raises(ConnectionClosedOK):
            await server.recv()
