"""Against the `websockets` package: our client with its server, its client with our server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import websockets.asyncio.client
import websockets.asyncio.server
import websockets.exceptions

from tests.aio.raw import uri_of
from ws6455 import ConnectionClosed, connect, serve

Ends = AbstractAsyncContextManager[tuple[Any, Any]]


@contextlib.asynccontextmanager
async def our_client(**options: Any) -> AsyncIterator[tuple[Any, Any]]:
    """Give our client's connection and their server's."""
    theirs: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    end = asyncio.Event()

    async def handler(connection: Any) -> None:
        theirs.set_result(connection)
        await end.wait()

    async with websockets.asyncio.server.serve(handler, "127.0.0.1", 0, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/", **options) as ours:
            yield ours, await theirs
            end.set()


@contextlib.asynccontextmanager
async def our_server(**options: Any) -> AsyncIterator[tuple[Any, Any]]:
    """Give our server's connection and their client's."""
    ours: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    end = asyncio.Event()

    async def handler(connection: Any) -> None:
        ours.set_result(connection)
        await end.wait()

    async with (
        serve(handler, "127.0.0.1", 0, **options) as server,
        websockets.asyncio.client.connect(uri_of(server), **options) as theirs,
    ):
        yield await ours, theirs
        end.set()


@pytest.fixture(params=[our_client, our_server])
def interop(request: pytest.FixtureRequest) -> Callable[..., Ends]:
    make: Callable[..., Ends] = request.param
    return make


MESSAGES = ["", "é" * 1000, b"", bytes(range(256)) * 100, ["a", "b", ""], [b"a" * 5000, b"b"]]


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_messages_both_ways(interop: Callable[..., Ends], compression: str | None) -> None:
    async with interop(compression=compression) as (ours, theirs):
        for _ in range(2):  # the second time the compressors know it all
            for sender, receiver in ((ours, theirs), (theirs, ours)):
                for message in MESSAGES:
                    await sender.send(message)
                    whole = message
                    if isinstance(message, list):
                        whole = b"".join(message) if message[0][:1] == b"a" else "".join(message)
                    assert await receiver.recv() == whole


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_large_messages_both_ways(
    interop: Callable[..., Ends], compression: str | None
) -> None:
    async with interop(compression=compression, max_size=None) as (ours, theirs):
        message = bytes(range(256)) * (1 << 16)  # 16 MiB
        for sender, receiver in ((ours, theirs), (theirs, ours)):
            sending = asyncio.create_task(sender.send(message))
            assert await receiver.recv() == message
            await sending


async def test_fragments_arrive_as_they_were_sent(interop: Callable[..., Ends]) -> None:
    async with interop() as (ours, theirs):
        for sender, receiver in ((ours, theirs), (theirs, ours)):
            await sender.send(["é", "b", "c"])
            assert [piece async for piece in receiver.recv_streaming()] == ["é", "b", "c", ""]


async def test_pings_both_ways(interop: Callable[..., Ends]) -> None:
    async with interop() as (ours, theirs):
        for end in (ours, theirs):
            assert await (await end.ping()) > 0
            assert await (await end.ping(b"payload")) > 0


@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 4999])
async def test_close_codes_both_ways(interop: Callable[..., Ends], code: int) -> None:
    for ours_first in (True, False):
        async with interop() as (ours, theirs):
            first, second = (ours, theirs) if ours_first else (theirs, ours)
            await first.close(code, "réason")
            with pytest.raises(
                (ConnectionClosed, websockets.exceptions.ConnectionClosed)
            ) as caught:
                await second.recv()
            kind = "ConnectionClosedOK" if code in (1000, 1001) else "ConnectionClosedError"
            assert type(caught.value).__name__ == kind
            for end in (ours, theirs):
                assert (end.close_code, end.close_reason) == (code, "réason")


async def test_they_say_of_our_exceptions_what_they_say_of_theirs(
    interop: Callable[..., Ends],
) -> None:
    async with interop() as (ours, theirs):
        await ours.close(4000, "why")
        texts = []
        for end in (ours, theirs):
            with pytest.raises(
                (ConnectionClosed, websockets.exceptions.ConnectionClosed)
            ) as caught:
                await end.recv()
            texts.append(str(caught.value))
        assert texts == [
            "sent 4000 (private use) why; then received 4000 (private use) why",
            "received 4000 (private use) why; then sent 4000 (private use) why",
        ]
