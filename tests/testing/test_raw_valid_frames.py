"""Tests of the hostile peer where it is a proper one: valid frames, the closing handshake."""

import asyncio

import pytest

from tests.testing.test_raw import Against
from tests.testing.test_raw import against as against  # a fixture
from ws6455 import Close, Frame, Opcode, ProtocolError
from ws6455.testing import RawPeer, RawServer


async def test_valid_frames_are_read_without_their_masks(against: Against) -> None:
    async with against(compression=None) as (connection, peer):
        await connection.send(["a", "b"])
        await connection.ping(b"c")
        assert [await peer.valid_frame() for _ in range(4)] == [
            Frame(Opcode.TEXT, b"a", fin=False),
            Frame(Opcode.CONT, b"b", fin=False),
            Frame(Opcode.CONT, b""),
            Frame(Opcode.PING, b"c"),
        ]


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ({"opcode": 0x3}, "reserved opcode"),
        ({"opcode": Opcode.TEXT, "rsv": 0b010}, "reserved bits"),
        ({"opcode": Opcode.PING, "fin": False}, "fragmented control frame"),
        ({"opcode": Opcode.PING, "data": bytes(126)}, "control frame too long"),
        ({"opcode": Opcode.TEXT, "data": b"x", "length_bits": 16}, "shortest form"),
        ({"opcode": Opcode.TEXT, "data": b"x", "masked": True}, "incorrect masking"),
    ],
)
async def test_an_invalid_frame_is_refused_and_can_still_be_read(
    frame: dict[str, int], error: str
) -> None:
    async with RawServer() as server, await RawPeer.connect("127.0.0.1", server.port) as client:
        peer = await server.accept()
        peer.send_frame(**frame)  # type: ignore[arg-type]  # the table mixes types
        with pytest.raises(ProtocolError, match=error):
            await client.valid_frame()
        assert (await client.frame()).opcode == frame["opcode"]


async def test_a_compressed_frame_is_valid() -> None:
    async with RawServer() as server, await RawPeer.connect("127.0.0.1", server.port) as client:
        peer = await server.accept()
        peer.send_frame(Opcode.TEXT, b"not inflated", rsv=0b100)
        assert await client.valid_frame() == Frame(Opcode.TEXT, b"not inflated", rsv1=True)


async def test_a_server_requires_masked_frames() -> None:
    async with RawServer() as server, await RawPeer.connect("127.0.0.1", server.port) as client:
        peer = await server.accept()
        client.send_frame(Opcode.TEXT, b"right")
        client.send_frame(Opcode.TEXT, b"wrong", masked=False)
        assert await peer.valid_frame() == Frame(Opcode.TEXT, b"right")
        with pytest.raises(ProtocolError, match="incorrect masking"):
            await peer.valid_frame()


async def test_a_close_frame_is_answered_with_its_own_code_and_reason(against: Against) -> None:
    async with against() as (connection, peer):
        await connection.send("dropped")
        closing = asyncio.ensure_future(connection.close(4000, "done"))
        assert await peer.answer_close() == Close(4000, "done")
        await peer.close()
        await closing
        assert (connection.close_code, connection.close_reason) == (4000, "done")


async def test_without_a_close_frame_there_is_nothing_to_answer(against: Against) -> None:
    async with against() as (connection, peer):
        transport = connection.transport
        assert transport is not None
        transport.abort()
        with pytest.raises(EOFError):
            await peer.answer_close()
