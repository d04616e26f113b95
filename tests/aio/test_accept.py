"""accept: a connection on a stream pair that something else has made."""

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.aio.conftest import iterate, serialized, until
from tests.frames import text
from ws6455 import (
    Close,
    ConnectionClosed,
    ConnectionClosedError,
    Frame,
    InvalidHandshake,
    InvalidMessage,
    InvalidOrigin,
    InvalidStatus,
    InvalidUpgrade,
    Opcode,
    Response,
    ServerConnection,
    State,
    accept,
    broadcast,
    connect,
    unix_connect,
)
from ws6455.testing import RawPeer, opening_request


class Accepting:
    """A server of asyncio's that calls `accept`; what came of it waits in `results`."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.results: asyncio.Queue[ServerConnection | BaseException] = asyncio.Queue()
        self.port = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            connection = await accept(reader, writer, **self.options)
        except (InvalidHandshake, TimeoutError) as exc:
            self.results.put_nowait(exc)
        else:
            self.results.put_nowait(connection)
            await connection.wait_closed()

    async def connection(self) -> ServerConnection:
        result = await self.results.get()
        assert isinstance(result, ServerConnection)
        return result


@contextlib.asynccontextmanager
async def accepting(**options: Any) -> AsyncIterator[Accepting]:
    server = Accepting(**options)
    listener = await asyncio.start_server(server.take, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()


@contextlib.asynccontextmanager
async def accepted(**options: Any) -> AsyncIterator[tuple[ServerConnection, RawPeer]]:
    """Give an accepted connection and its raw client."""
    async with accepting(**options) as server:
        peer = await RawPeer.connect("127.0.0.1", server.port)
        assert (await peer.open()).startswith("HTTP/1.1 101 ")
        connection = await server.connection()
        yield connection, peer
        await peer.close()
        await connection.wait_closed()


async def check_both_ways(client: Any, connection: ServerConnection) -> None:
    for message in ("é", b"\xff" * 100_000):
        await client.send(message)
        assert await connection.recv() == message
        await connection.send(message)
        assert await client.recv() == message


async def test_over_tcp() -> None:
    async with accepting() as server:
        async with connect(f"ws://127.0.0.1:{server.port}/p") as client:
            connection = await server.connection()
            assert connection.request is not None
            assert connection.request.path == "/p"
            await check_both_ways(client, connection)
            assert await (await connection.ping()) > 0
        await connection.wait_closed()
        assert connection.close_code == 1000


async def test_over_a_unix_socket(tmp_path: Any) -> None:
    server = Accepting()
    path = tmp_path / "socket"
    listener = await asyncio.start_unix_server(server.take, path)
    async with unix_connect(path) as client:
        await check_both_ways(client, await server.connection())
    listener.close()
    await listener.wait_closed()


async def test_over_tls(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server = Accepting()
    listener = await asyncio.start_server(server.take, "127.0.0.1", 0, ssl=contexts[0])
    port = listener.sockets[0].getsockname()[1]
    async with connect(f"wss://localhost:{port}", ssl=contexts[1]) as client:
        connection = await server.connection()
        await check_both_ways(client, connection)
        await connection.close(4000)
        await client.wait_closed()
        assert client.close_code == 4000
    listener.close()
    await listener.wait_closed()


async def test_the_application_closes() -> None:
    async with accepted() as (connection, peer):
        closing = asyncio.create_task(connection.close(4000, "done"))
        assert await peer.answer_close() == Close(4000, "done")
        assert await peer.bytes_to_end() == b""  # the server closes TCP first
        assert not peer.was_reset
        await peer.close()
        await closing
        with pytest.raises(ConnectionClosed, match="4000"):
            await connection.recv()


async def test_a_client_that_does_not_finish_is_cut_off() -> None:
    async with accepted(close_timeout=0.05) as (connection, _):
        async with asyncio.timeout(1):
            await connection.close()
        assert connection.close_code == 1006


async def test_a_client_that_is_gone() -> None:
    async with accepted() as (connection, peer):
        peer.reset()
        with pytest.raises(ConnectionClosedError):
            await connection.recv()
        with pytest.raises(ConnectionClosedError):
            await connection.send("x")


async def test_a_client_that_closed_its_sending_side_gets_replies_before_the_failure() -> None:
    async with accepted(compression=None) as (connection, peer):
        peer.send(text("1"), b"\x83\x80\x00\x00\x00\x00")
        peer.end_sending()
        await until(lambda: connection.protocol.eof_received)
        assert await connection.recv() == "1"
        await connection.send("reply")
        with pytest.raises(ConnectionClosedError, match="1002"):
            await connection.recv()
        assert await peer.valid_frame() == text("reply")
        assert Close.parse((await peer.valid_frame()).data).code == 1002
        assert await peer.bytes_to_end() == b""


@pytest.mark.parametrize(
    ("request_bytes", "status", "error"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 426, InvalidUpgrade),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, InvalidMessage),
        (opening_request(headers={"Origin": "https://evil"}), 403, InvalidOrigin),
    ],
    ids=["no upgrade", "malformed", "origin"],
)
async def test_refusals_are_answered_and_raised(
    request_bytes: bytes, status: int, error: type[Exception]
) -> None:
    async with accepting(origins=[None]) as server:
        peer = await RawPeer.connect("127.0.0.1", server.port)
        peer.send(request_bytes)
        assert (await peer.head()).startswith(f"HTTP/1.1 {status} ")
        await peer.bytes_to_end()
        assert isinstance(await server.results.get(), error)
        await peer.close()


async def test_process_request_refuses() -> None:
    def refuse(connection: ServerConnection, _: Any) -> Response:
        return connection.respond(404, "nothing here")

    async with accepting(process_request=refuse) as server:
        with pytest.raises(InvalidStatus, match="404") as caught:
            await connect(f"ws://127.0.0.1:{server.port}/")
        assert caught.value.response.body == b"nothing here"
        assert isinstance(await server.results.get(), InvalidStatus)


async def test_a_client_that_says_nothing() -> None:
    async with accepting(open_timeout=0.05) as server:
        peer = await RawPeer.connect("127.0.0.1", server.port)
        assert isinstance(await server.results.get(), TimeoutError)
        assert await peer.bytes_to_end() == b""
        await peer.close()


async def test_a_client_that_leaves_at_once() -> None:
    async with accepting() as server:
        peer = await RawPeer.connect("127.0.0.1", server.port)
        await peer.close()
        assert isinstance(await server.results.get(), InvalidMessage)


@pytest.mark.parametrize("options", [{"max_sise": 1}, {"port": 1}])
async def test_unknown_options_are_told(options: dict[str, Any]) -> None:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with pytest.raises(TypeError, match=next(iter(options))):
            await accept(reader, writer, **options)
        writer.close()
        told.set()

    told = asyncio.Event()
    listener = await asyncio.start_server(take, "127.0.0.1", 0)
    peer = await RawPeer.connect("127.0.0.1", listener.sockets[0].getsockname()[1])
    await told.wait()
    await peer.close()
    listener.close()
    await listener.wait_closed()


async def test_reading_pauses_and_goes_on() -> None:
    async with accepted(max_queue=2) as (connection, peer):
        for number in range(50):
            peer.send(text(str(number)))
            await iterate(2)
        await until(lambda: connection._reading_paused)
        assert len(connection.protocol.queue.messages) < 10
        assert [await connection.recv() for _ in range(50)] == [str(n) for n in range(50)]


async def test_send_waits_for_a_slow_client() -> None:
    async with accepted(compression=None) as (connection, peer):
        sent = itertools.count()

        async def send() -> None:
            while next(sent) < 500:
                await connection.send(bytes(100_000))

        sending = asyncio.create_task(send())
        await asyncio.sleep(0.1)
        assert not sending.done()
        assert connection._io.unsent_bytes() < 1 << 20
        for _ in range(500):
            assert len((await peer.valid_frame()).data) == 100_000
        await sending


async def test_a_ping_flood_without_reading_is_bounded() -> None:
    async with accepted(ping_interval=None, compression=None) as (connection, peer):
        sending = asyncio.create_task(connection.send(bytes(1 << 24)))
        await iterate(20)
        backlog = connection._io.unsent_bytes()
        ping = serialized(peer, Frame(Opcode.PING, bytes(125))) * 500

        async def flood() -> None:
            for _ in range(100):
                peer.send(ping)
                await peer.writer.drain()

        flooding = asyncio.create_task(flood())
        await asyncio.sleep(0.2)
        assert connection._io.unsent_bytes() <= backlog + (1 << 17)
        assert len((await peer.valid_frame()).data) == 1 << 24
        while not flooding.done() or connection._io.unsent_bytes():
            await peer.reader.read(1 << 16)
        await sending
        assert connection.state is State.OPEN


async def test_a_pong_that_was_held_back_leaves_when_there_is_room() -> None:
    async with accepted(ping_interval=None, compression=None) as (connection, peer):
        broadcast([connection], bytes(1 << 24))
        for number in range(1000):
            peer.send(Frame(Opcode.PING, b"%d" % number))
        await until(lambda: connection.protocol.pongs_due == [b"999"])
        assert len((await peer.valid_frame()).data) == 1 << 24
        # The application does nothing; the answer to the latest ping comes.
        while (await peer.valid_frame()).data != b"999":
            pass


async def test_d23_a_stream_pair_has_no_proxy_header() -> None:
    reader = asyncio.StreamReader()
    with pytest.raises(TypeError, match="after the PROXY header"):
        # The options are checked before the writer is used.
        await accept(reader, None, proxy_protocol=True, trusted_proxies=["10.0.0.1"])  # type: ignore[arg-type]
