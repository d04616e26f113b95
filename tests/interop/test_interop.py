"""Our client with other servers, and our server with other clients; the same tests for all."""

import asyncio
from typing import Any

import pytest

from tests.interop.adapters import Adapter, Message
from tests.interop.conftest import MakeEnds, Row
from tests.interop.with_aiohttp import Aiohttp
from tests.interop.with_chromium import Chromium
from tests.interop.with_picows import Picows
from tests.interop.with_tornado import Tornado
from tests.interop.with_websockets import WebsocketsAsyncio, WebsocketsThreads
from tests.interop.with_wsproto import Wsproto
from ws6455 import ConnectionClosed, ConnectionClosedOK

ADAPTERS: list[type[Adapter]] = [
    WebsocketsAsyncio,
    WebsocketsThreads,
    Aiohttp,
    Picows,
    Wsproto,
    Tornado,
    Chromium,
]
ROWS = [
    Row(adapter, is_server)
    for adapter in ADAPTERS
    for is_server in (False, True)
    if not (is_server and "serve" in adapter.lacks)
]
CODES = sorted(Adapter.close_codes)


def rows_that_can(ability: str) -> pytest.MarkDecorator:
    """Parametrize a test with the implementations whose adapter does not lack `ability`."""
    return pytest.mark.parametrize(
        "row", [row for row in ROWS if ability not in row.adapter.lacks], ids=str
    )


all_rows = pytest.mark.parametrize("row", ROWS, ids=str)
rows_plain_and_compressed = pytest.mark.parametrize(
    ("row", "compressed"),
    [
        pytest.param(row, compressed, id=f"{row}-{'deflate' if compressed else 'plain'}")
        for row in ROWS
        for compressed in (False, True)
        if not (compressed and "compression" in row.adapter.lacks)
    ],
)

MESSAGES: list[Message] = [
    "",
    "text",
    "straße 🚲" * 1000,
    b"",
    b"\0",
    bytes(range(256)) * 100,
    "x" * 125,
    b"x" * 126,
    "x" * 0xFFFF,
    b"x" * 0x10000,
]


@rows_plain_and_compressed
async def test_messages_both_ways(ends: MakeEnds, compressed: bool) -> None:
    async with ends(compressed) as (ours, theirs):
        assert bool(ours.protocol.extensions) is compressed
        for _ in range(2):  # the second time with filled compression contexts
            for message in MESSAGES:
                await ours.send(message)
                assert await theirs.recv() == message
                await theirs.send(message)
                assert await ours.recv() == message


@rows_plain_and_compressed
async def test_16_mib_both_ways(ends: MakeEnds, compressed: bool) -> None:
    message = bytes(range(256)) * (1 << 16)
    async with ends(compressed) as (ours, theirs):
        sending = asyncio.create_task(ours.send(message))
        assert await theirs.recv() == message
        await sending
        sending = asyncio.create_task(theirs.send(message))
        assert await ours.recv() == message
        await sending


FRAGMENTS: list[list[Any]] = [["stra", "", "ße"], [b"\0" * 1000, b"\xff"], ["", "🚲"], [b"a"] * 300]


def join(fragments: list[Any]) -> Message:
    empty = fragments[0][:0]
    whole: Message = empty.join(fragments)
    return whole


@rows_plain_and_compressed
async def test_our_fragments_arrive_as_one_message(ends: MakeEnds, compressed: bool) -> None:
    async with ends(compressed) as (ours, theirs):
        for fragments in FRAGMENTS:
            await ours.send(fragments)
            assert await theirs.recv() == join(fragments)


@rows_that_can("send fragments")
async def test_their_fragments_arrive_one_by_one_or_whole(ends: MakeEnds) -> None:
    async with ends(False) as (ours, theirs):
        for fragments in FRAGMENTS:
            await theirs.send_fragments(fragments)
            assert await ours.recv() == join(fragments)
            await theirs.send_fragments(fragments)
            received = [fragment async for fragment in ours.recv_streaming()]
            # Some implementations end the message with an additional empty fragment.
            assert received in (fragments, [*fragments, fragments[0][:0]])


@all_rows
async def test_our_pings_are_answered(ends: MakeEnds) -> None:
    async with ends(False) as (ours, theirs):
        for data in (None, b"", b"payload", b"x" * 125):
            assert await (await ours.ping(data)) > 0
        await ours.send("between")
        assert await theirs.recv() == "between"


@rows_that_can("ping")
async def test_their_pings_are_answered(ends: MakeEnds) -> None:
    async with ends(False) as (ours, theirs):
        for data in (b"payload", b"x" * 125):
            await theirs.ping(data)
            assert await theirs.pongs.get() == data
        await theirs.send("between")
        assert await ours.recv() == "between"


@all_rows
async def test_our_close_code_and_reason_reach_them(ends: MakeEnds) -> None:
    for code in CODES:
        async with ends(False) as (ours, theirs):
            closing = asyncio.create_task(ours.close(code, "réason"))
            assert await theirs.wait_closed() == (code, "réason")
            await closing
            assert ours.protocol.close_rcvd_then_sent is False


@all_rows
async def test_their_close_code_and_reason_reach_us(ends: MakeEnds, row: Row) -> None:
    for code in sorted(row.adapter.close_codes):
        async with ends(False) as (ours, theirs):
            closing = asyncio.create_task(theirs.close(code, "réason"))
            with pytest.raises(ConnectionClosed) as caught:
                await ours.recv()
            assert isinstance(caught.value, ConnectionClosedOK) is (code in (1000, 1001))
            assert (ours.close_code, ours.close_reason) == (code, "réason")
            assert ours.protocol.close_rcvd_then_sent is True
            await closing
