"""Tests of the hostile peer against the library, in both roles, in memory and over TCP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import pytest

from ws6455 import (
    ClientConnection,
    Close,
    ConnectionClosed,
    ConnectionClosedError,
    Frame,
    InvalidHandshake,
    Opcode,
    ServerConnection,
    Side,
    State,
    connect,
    serve,
)
from ws6455.testing import (
    MemoryServer,
    MemoryTransport,
    RawFrame,
    RawMemoryServer,
    RawPeer,
    RawServer,
    client_and_peer,
    join,
    opening_request,
    opening_response,
    server_and_peer,
)


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


class Raw(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[RawPeer]: ...


@contextlib.asynccontextmanager
async def client_over_tcp() -> AsyncIterator[RawPeer]:
    async with serve(echo, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with await RawPeer.connect("127.0.0.1", port) as peer:
            yield peer


@contextlib.asynccontextmanager
async def client_in_memory() -> AsyncIterator[RawPeer]:
    async with MemoryServer(echo) as server, server.raw_client() as peer:
        yield peer


@pytest.fixture(params=[client_over_tcp, client_in_memory], ids=["tcp", "memory"])
def raw(request: pytest.FixtureRequest) -> Raw:
    """A function that connects a raw client to an echo server."""
    made: Raw = request.param
    return made


class Against(Protocol):
    def __call__(
        self, **options: object
    ) -> AbstractAsyncContextManager[tuple[ServerConnection | ClientConnection, RawPeer]]: ...


@pytest.fixture(params=[server_and_peer, client_and_peer], ids=["server", "client"])
def against(
    request: pytest.FixtureRequest,
) -> Against:
    """A function that connects a connection under test, in either role, to a raw peer."""
    made: Against = request.param
    return made


# Breaking the protocol ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"opcode": 0x3}, "reserved opcode: 0x3"),
        ({"opcode": Opcode.TEXT, "rsv": 0b010}, "reserved bits must be 0"),
        ({"opcode": Opcode.PING, "fin": False}, "fragmented control frame"),
        ({"opcode": Opcode.PING, "data": bytes(126)}, "control frame too long"),
        ({"opcode": Opcode.TEXT, "data": b"x", "length_bits": 16}, "shortest form"),
        ({"opcode": Opcode.TEXT, "data": b"x", "length_bits": 64}, "shortest form"),
        ({"opcode": Opcode.TEXT, "length": 1 << 63}, "exceeds 63 bits"),
        ({"opcode": Opcode.CONT, "data": b"x"}, ""),
        ({"opcode": Opcode.CLOSE, "data": b"x"}, "close frame too short"),
    ],
)
async def test_a_wrong_frame_fails_the_connection_with_1002(
    against: Against, frame: dict[str, int], reason: str
) -> None:
    async with against() as (connection, peer):
        peer.send_frame(**frame)  # type: ignore[arg-type]  # the table mixes types
        (answer,) = await peer.frames_to_close()
        await peer.close()
        with pytest.raises(ConnectionClosedError):
            await connection.recv()
    close = Close.parse(answer.data)
    assert close.code == 1002
    assert reason in close.reason
    assert (answer.key is None) is isinstance(connection, ServerConnection)


async def test_a_frame_is_masked_as_the_role_must_or_as_told(against: Against) -> None:
    async with against() as (connection, peer):
        peer.send_frame(Opcode.TEXT, b"right")
        assert await connection.recv() == "right"
        peer.send_frame(Opcode.TEXT, b"wrong", masked=isinstance(connection, ClientConnection))
        receiving = asyncio.ensure_future(connection.recv())
        (answer,) = await peer.frames_to_close()
        assert Close.parse(answer.data) == Close(1002, "incorrect masking")
        await peer.close()
        with pytest.raises(ConnectionClosedError):
            await receiving


async def test_an_unfinished_frame_is_an_abnormal_closure(against: Against) -> None:
    async with against() as (connection, peer):
        peer.send_frame(Opcode.TEXT, b"half", length=8)
        await peer.close()
        with pytest.raises(ConnectionClosedError):
            await connection.recv()
        assert connection.close_code == 1006


async def test_everything_can_be_sent_in_one_go(against: Against) -> None:
    async with against(compression=None) as (connection, peer):
        key = bytes(4) if isinstance(connection, ServerConnection) else None
        peer.send(
            Frame(Opcode.TEXT, b"a", fin=False),
            RawFrame(Opcode.PING, b"between", key=key),
            RawFrame(Opcode.CONT, b"b", key=key).serialize(),
        )
        assert await connection.recv() == "ab"
        pong = await peer.frame()
        assert (pong.opcode, pong.data) == (Opcode.PONG, b"between")


async def test_bytes_can_be_sent_one_by_one(raw: Raw) -> None:
    async with raw() as peer:
        await peer.send_in_pieces(opening_request())
        assert (await peer.head()).startswith("HTTP/1.1 101 ")
        frames = Frame(Opcode.TEXT, b"a" * 200).serialize(mask=True)
        await peer.send_in_pieces(frames)
        assert (await peer.frame()).data == b"a" * 200
        await peer.send_in_pieces(frames, size=50, pause=0.001)
        assert (await peer.frame()).data == b"a" * 200


async def test_in_memory_each_piece_arrives_by_itself() -> None:
    pieces: list[bytes] = []

    class Pieces(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            pieces.append(data)

    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = join(protocol, Pieces())
    writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
    async with RawPeer(reader, writer, Side.CLIENT) as peer:
        await peer.send_in_pieces(b"abcde", size=2)
    assert pieces == [b"ab", b"cd", b"e"]


# Breaking the opening handshake -----------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, "101 Switching Protocols"),
        ({"Upgrade": None}, "426 Upgrade Required"),
        ({"Host": None}, "400 Bad Request"),
        ({"Sec-WebSocket-Key": "short"}, "400 Bad Request"),
        ({"Sec-WebSocket-Version": "8"}, "426 Upgrade Required"),
        ({"sec-websocket-version": "13"}, "400 Bad Request"),
    ],
)
async def test_a_request_can_be_wrong(
    raw: Raw, headers: dict[str, str | None], status: str
) -> None:
    async with raw() as peer:
        assert (await peer.open(headers)).startswith(f"HTTP/1.1 {status}\r\n")


async def test_what_is_not_http_is_sent_as_it_is(raw: Raw) -> None:
    async with raw() as peer:
        peer.send(b"\x16\x03\x01 this is TLS, perhaps\r\n\r\n")
        assert b"101" not in await peer.bytes_to_end()


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"Sec-WebSocket-Accept": "wrong"}, "Sec-WebSocket-Accept"),
        ({"Upgrade": None}, "Upgrade"),
        ({"Sec-WebSocket-Protocol": "not-asked-for"}, "subprotocol"),
        ({"Sec-WebSocket-Extensions": "x-unknown"}, "extension"),
    ],
)
@pytest.mark.parametrize("memory", [False, True], ids=["tcp", "memory"])
async def test_a_response_can_be_wrong(
    memory: bool, headers: dict[str, str | None], error: str
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        if memory:
            in_memory = await stack.enter_async_context(RawMemoryServer())
            server: RawMemoryServer | RawServer = in_memory
            connecting = asyncio.ensure_future(in_memory.connect())
        else:
            server = over_tcp = await stack.enter_async_context(RawServer())
            connecting = asyncio.ensure_future(connect(over_tcp.uri))
        peer = await server.accept()
        request = await peer.open(headers)
        assert request.startswith("GET / HTTP/1.1\r\n")
        with pytest.raises(InvalidHandshake, match=f"(?i){error}"):
            await connecting


async def test_a_response_can_be_anything_and_frames_can_be_glued_to_it() -> None:
    async with RawMemoryServer() as server:
        connecting = asyncio.ensure_future(server.connect())
        peer = await server.accept()
        peer.send(b"220 mail ready\r\n")
        with pytest.raises(InvalidHandshake):
            await connecting
        connecting = asyncio.ensure_future(server.connect())
        peer = await server.accept()
        request = await peer.head()
        peer.send(opening_response(request), Frame(Opcode.TEXT, b"glued"))
        client = await connecting
        assert await client.recv() == "glued"
        await peer.close()
        await client.wait_closed()


async def test_nobody_is_left_waiting_who_comes_when_the_server_is_left() -> None:
    async with RawMemoryServer() as server:
        pass
    with pytest.raises(InvalidHandshake):
        await server.connect(open_timeout=5)


# Reading and not reading ----------------------------------------------------------------


async def test_a_read_that_gets_nothing_fails_in_bounded_time(raw: Raw) -> None:
    async with raw() as peer:
        peer.timeout = 0.01
        for read in (peer.head, peer.frame, peer.frames_to_close, peer.bytes_to_end):
            with pytest.raises(TimeoutError):
                await read()
    async with RawServer(timeout=0.01) as server:
        with pytest.raises(TimeoutError):
            await server.accept()


async def test_a_body_is_read_by_its_length(raw: Raw) -> None:
    async with raw() as peer:
        head = await peer.open({"Upgrade": None})
        (length,) = [line for line in head.split("\r\n") if line.startswith("Content-Length: ")]
        size = int(length.removeprefix("Content-Length: "))
        body = await peer.exact_bytes(6) + await peer.exact_bytes(size - 6)
        assert len(body) == size
        with pytest.raises(EOFError):
            await peer.exact_bytes(1)


async def test_the_end_of_the_stream_is_told_from_a_reset(against: Against) -> None:
    for ending in ("abort", "reset"):
        async with against() as (connection, peer):
            transport = connection.transport
            assert isinstance(transport, MemoryTransport)
            getattr(transport, ending)()
            with pytest.raises(ConnectionResetError if ending == "reset" else EOFError):
                await peer.frame()
            assert peer.was_reset is (ending == "reset")


async def test_frames_and_then_bytes_are_read_to_the_end(raw: Raw) -> None:
    async with raw() as peer:
        await peer.open()
        peer.send(Frame(Opcode.PING, b"x"), Frame(Opcode.CLOSE, b""))
        assert await peer.frames_to_close() == [
            RawFrame(Opcode.PONG, b"x"),
            RawFrame(Opcode.CLOSE, b""),
        ]
        assert await peer.bytes_to_end() == b""
        assert not peer.was_reset


async def test_a_peer_that_stops_reading_makes_send_wait(against: Against) -> None:
    async with against() as (connection, peer):
        peer.stop_reading()
        payload = bytes(1 << 20)
        sending = asyncio.ensure_future(connection.send(payload))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not sending.done()
        peer.go_on_reading()
        frame = await peer.frame()
        assert len(frame.data) > 0
        await sending


async def test_a_peer_leaves_although_nobody_reads_what_it_has_sent(against: Against) -> None:
    async with asyncio.timeout(10), against() as (connection, peer):
        peer.timeout = 0.01
        peer.send(*[Frame(Opcode.BINARY, bytes(100_000))] * 100)
    assert connection.state is State.CLOSED


async def test_a_peer_can_end_sending_and_still_read(against: Against) -> None:
    async with against() as (connection, peer):
        peer.end_sending()
        await connection.send("before the end is there")
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert connection.close_code == 1006
        assert (await peer.frame()).data == b"before the end is there"
        assert await peer.bytes_to_end() == b""
        assert not peer.was_reset


@pytest.mark.parametrize("memory", [False, True], ids=["tcp", "memory"])
async def test_a_reset_is_what_the_server_gets(memory: bool) -> None:
    causes: asyncio.Queue[BaseException | None] = asyncio.Queue()

    async def handler(connection: ServerConnection) -> None:
        with pytest.raises(ConnectionClosedError) as lost:
            await connection.recv()
        causes.put_nowait(lost.value.__cause__)

    async with contextlib.AsyncExitStack() as stack:
        if memory:
            peer = (await stack.enter_async_context(MemoryServer(handler))).raw_client()
        else:
            server = await stack.enter_async_context(serve(handler, "127.0.0.1", 0))
            host, port = next(iter(server.sockets)).getsockname()
            peer = await RawPeer.connect(host, port)
        await peer.open()
        peer.reset()
        peer.reset()  # a second time has no effect
        assert isinstance(await causes.get(), ConnectionResetError)


@pytest.mark.parametrize("memory", [False, True], ids=["tcp", "memory"])
async def test_a_reset_is_what_the_client_gets(memory: bool) -> None:
    async with contextlib.AsyncExitStack() as stack:
        if memory:
            client, peer = await stack.enter_async_context(client_and_peer())
        else:
            server = await stack.enter_async_context(RawServer())
            connecting = asyncio.ensure_future(connect(server.uri))
            peer = await server.accept()
            await peer.open()
            client = await connecting
        peer.reset()
        with pytest.raises(ConnectionClosedError) as lost:
            await client.recv()
    assert isinstance(lost.value.__cause__, ConnectionResetError)
    assert client.state is State.CLOSED
