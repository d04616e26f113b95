"""Tests of the tools with the `websockets` package, which behaves as the library does."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from ws6455 import Close, Frame, Opcode
from ws6455.testing import Link, RawPeer, RawServer


@contextlib.asynccontextmanager
async def client_and_raw_server(**options: Any) -> AsyncIterator[tuple[ClientConnection, RawPeer]]:
    async with RawServer() as server:
        connecting = asyncio.ensure_future(connect(server.uri, **options))
        peer = await server.accept()
        request = await peer.open()
        assert "Sec-WebSocket-Key" in request
        client = await connecting
        try:
            yield client, peer
        finally:
            await peer.close()
            await client.wait_closed()


async def echo(connection: ServerConnection) -> None:
    with contextlib.suppress(websockets.ConnectionClosed):
        async for message in connection:
            await connection.send(message)


@contextlib.asynccontextmanager
async def echo_port() -> AsyncIterator[int]:
    async with serve(echo, "127.0.0.1", 0, close_timeout=0.1) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        assert isinstance(port, int)
        yield port


@contextlib.asynccontextmanager
async def linked(**network: Any) -> AsyncIterator[Link]:
    async with echo_port() as port, Link("127.0.0.1", port, **network) as link:
        yield link


@pytest.mark.parametrize(
    "wrong",
    [
        {"opcode": 0x3},
        {"opcode": Opcode.TEXT, "rsv": 0b010},
        {"opcode": Opcode.PING, "fin": False},
        {"opcode": Opcode.TEXT, "data": b"x", "masked": True},
    ],
)
async def test_their_client_takes_a_wrong_frame_for_wrong(wrong: dict[str, Any]) -> None:
    async with client_and_raw_server() as (client, peer):
        peer.send_frame(Opcode.TEXT, b"right")
        assert await client.recv() == "right"
        peer.send_frame(**wrong)
        (answer,) = await peer.frames_to_close()
        assert Close.parse(answer.data).code == 1002
        assert answer.key is not None


async def test_their_server_takes_a_frame_without_a_mask_for_wrong() -> None:
    async with echo_port() as port, await RawPeer.connect("127.0.0.1", port) as peer:
        await peer.open({"Sec-WebSocket-Extensions": None})
        peer.send(Frame(Opcode.TEXT, b"right"))
        assert (await peer.frame()).data == b"right"
        peer.send_frame(Opcode.TEXT, b"wrong", masked=False)
        (answer,) = await peer.frames_to_close()
        assert Close.parse(answer.data).code == 1002


async def test_their_client_refuses_a_wrong_response() -> None:
    async with RawServer() as server:
        connecting = asyncio.ensure_future(connect(server.uri))
        await (await server.accept()).open({"Sec-WebSocket-Accept": "wrong"})
        with pytest.raises(websockets.InvalidHeader):
            await connecting


async def test_their_client_sees_a_reset() -> None:
    async with client_and_raw_server() as (client, peer):
        peer.reset()
        with pytest.raises(websockets.ConnectionClosedError) as lost:
            await client.recv()
        assert isinstance(lost.value.__cause__, ConnectionResetError)


async def test_their_client_measures_the_latency_of_a_link() -> None:
    async with linked(latency=0.1) as link, connect(link.uri) as client:
        assert await (await client.ping()) >= 0.2


async def test_their_keepalive_ends_a_link_that_was_cut() -> None:
    options: dict[str, Any] = {"ping_interval": 0.1, "ping_timeout": 0.2, "close_timeout": 0.1}
    async with linked() as link, connect(link.uri, **options) as client:
        link.cut()
        with pytest.raises(websockets.ConnectionClosedError, match="keepalive ping timeout"):
            await client.recv()


async def test_their_bandwidth_is_no_more_than_that_of_the_link() -> None:
    async with linked(bandwidth=100_000) as link, connect(link.uri, compression=None) as client:
        start = time.monotonic()
        await client.send(bytes(50_000))
        await client.recv()
        assert time.monotonic() - start >= 0.98
