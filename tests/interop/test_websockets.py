"""Behaviour that our connections share with those of the `websockets` package."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import websockets

import ws6455

MakeEnds = Callable[[], AbstractAsyncContextManager[tuple[Any, Any]]]


@pytest.fixture(params=["our client", "our server"])
def ends(request: pytest.FixtureRequest) -> MakeEnds:
    """Return a function for ``async with ends() as (ours, theirs)``."""
    ours_first = request.param == "our client"
    client, server = (ws6455, websockets) if ours_first else (websockets, ws6455)

    @contextlib.asynccontextmanager
    async def make() -> AsyncIterator[tuple[Any, Any]]:
        opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def handler(connection: Any) -> None:
            opened.set_result(connection)
            await connection.wait_closed()

        async with server.serve(handler, "127.0.0.1", 0) as listener:
            port = next(iter(listener.sockets)).getsockname()[1]
            async with client.connect(f"ws://127.0.0.1:{port}/") as connected:
                accepted = await opened
                yield (connected, accepted) if ours_first else (accepted, connected)

    return make


async def test_fragments_arrive_as_they_were_sent(ends: MakeEnds) -> None:
    async with ends() as (ours, theirs):
        for sender, receiver in ((ours, theirs), (theirs, ours)):
            await sender.send(["é", "b", "c"])
            assert [piece async for piece in receiver.recv_streaming()] == ["é", "b", "c", ""]


async def test_both_say_the_same_of_how_a_connection_closed(ends: MakeEnds) -> None:
    async with ends() as (ours, theirs):
        await ours.close(4000, "why")
        texts = []
        for end in (ours, theirs):
            with pytest.raises((ws6455.ConnectionClosed, websockets.ConnectionClosed)) as caught:
                await end.recv()
            texts.append(str(caught.value))
        assert texts == [
            "sent 4000 (private use) why; then received 4000 (private use) why",
            "received 4000 (private use) why; then sent 4000 (private use) why",
        ]
