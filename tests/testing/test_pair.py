"""Tests of connections in memory: the library's own, with every option, without sockets."""

import asyncio
import gc
import os
import re
from typing import Any

import pytest

import ws6455
from ws6455 import (
    ClientConnection,
    Close,
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidStatus,
    Request,
    Response,
    ServerConnection,
    State,
    broadcast,
)
from ws6455.aio.streams import StreamProtocol
from ws6455.testing import MemoryServer, MemoryTransport, connected_pair


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_a25_a_pair_is_a_client_and_a_server_with_the_handshake_done() -> None:
    async with connected_pair() as (client, server):
        assert type(client) is ClientConnection
        assert type(server) is ServerConnection
        assert [client.state, server.state] == [State.OPEN] * 2
        assert client.request is not None
        assert server.request is not None
        key = server.request.headers["Sec-WebSocket-Key"]
        assert client.request.headers["Sec-WebSocket-Key"] == key
        await client.send("to the server")
        assert await server.recv() == "to the server"
        await server.send(b"to the client")
        assert await client.recv() == b"to the client"
        assert await (await client.ping()) >= 0
    assert (client.close_code, server.close_code) == (1000, 1000)
    assert [client.state, server.state] == [State.CLOSED] * 2


async def test_a_pair_opens_no_file_descriptor() -> None:
    before = len(os.listdir("/dev/fd"))
    async with connected_pair() as (client, server):
        await client.send("x" * 100_000)
        await server.recv()
        assert len(os.listdir("/dev/fd")) == before
    assert isinstance(client.transport, MemoryTransport)
    assert client.transport.get_extra_info("socket") is None


async def test_the_same_turns_of_the_loop_bring_the_same_things() -> None:
    async def turns() -> list[int]:
        """Count the iterations of the loop until each echo has arrived."""
        counts = []
        async with MemoryServer(echo) as server, server.connect() as client:
            for size in (1, 1000, 200_000):
                await client.send(bytes(size))
                receiving = asyncio.ensure_future(client.recv())
                count = 0
                while not receiving.done():
                    await asyncio.sleep(0)
                    count += 1
                counts.append(count)
        return counts

    assert await turns() == await turns() == await turns()


async def test_both_sides_agree_on_what_their_options_allow() -> None:
    async with connected_pair(
        {"subprotocols": ["b", "a"], "additional_headers": {"X-Client": "1"}, "origin": "http://o"},
        {
            "subprotocols": ["a", "b"],
            "origins": [re.compile("http://.")],
            "server_header": "test",
        },
        uri="ws://example.com:8000/path?query",
    ) as (client, server):
        assert client.subprotocol == server.subprotocol is not None
        assert server.protocol.origin == "http://o"
        assert server.request is not None
        assert server.request.path == "/path?query"
        assert server.request.headers["Host"] == "example.com:8000"
        assert server.request.headers["X-Client"] == "1"
        assert client.response is not None
        assert client.response.headers["Server"] == "test"


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_compression_is_agreed_on_and_used(compression: str | None) -> None:
    async with connected_pair(server_options={"compression": compression}) as (client, server):
        assert (client.protocol.deflate is not None) is (compression is not None)
        for message in ("", "x" * 500_000, bytes(range(256)) * 100):
            await client.send(message)
            assert await server.recv() == message


async def test_process_request_can_refuse() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(402, f"{request.path} must be paid for\n")

    with pytest.raises(InvalidStatus) as refused:
        async with connected_pair(server_options={"process_request": refuse}, uri="ws://host/x"):
            pytest.fail("it was not refused")
    assert refused.value.response.status_code == 402
    assert refused.value.response.body == b"/x must be paid for\n"


@pytest.mark.parametrize(
    ("client_options", "server_options", "name"),
    [
        ({"ssl": True}, {}, "ssl"),
        ({"no_such": 1}, {}, "no_such"),
        ({}, {"reuse_port": True}, "reuse_port"),
        ({}, {"port": 80}, "port"),
    ],
)
async def test_what_is_for_sockets_or_unknown_is_refused(
    client_options: dict[str, Any], server_options: dict[str, Any], name: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=name):
        async with connected_pair(client_options, server_options):
            pytest.fail("it was taken")


async def test_there_is_no_tls_in_memory() -> None:
    with pytest.raises(ValueError, match="no TLS in memory"):
        async with connected_pair(uri="wss://localhost/"):
            pytest.fail("it pretends")


async def test_an_exception_closes_with_1011() -> None:
    with pytest.raises(LookupError):
        async with connected_pair() as (_, server):
            raise LookupError
    assert server.close_code == 1011


async def test_sending_waits_for_a_peer_that_does_not_receive() -> None:
    async with connected_pair({"compression": None}) as (client, server):
        sent = 0

        async def send_all() -> None:
            nonlocal sent
            for _ in range(100):
                await client.send(bytes(1 << 16))
                sent += 1

        sending = asyncio.create_task(send_all())
        for _ in range(1000):
            await asyncio.sleep(0)
        stood_at = sent
        assert 0 < stood_at < 50
        for _ in range(100):
            assert len(await server.recv(decode=False)) == 1 << 16
        await sending


async def test_a_lost_transport_is_an_abnormal_closure() -> None:
    async with connected_pair() as (client, server):
        assert isinstance(client.transport, MemoryTransport)
        client.transport.reset()
        with pytest.raises(ConnectionClosedError) as lost:
            await server.recv()
        assert isinstance(lost.value.__cause__, ConnectionResetError)
        assert server.close_code == 1006


async def test_keepalive_runs_by_the_clock() -> None:
    options: dict[str, Any] = {"ping_interval": 0.02, "ping_timeout": 0.02, "close_timeout": 0.02}
    async with connected_pair(options) as (client, server):
        assert isinstance(server.transport, MemoryTransport)
        server.transport.pause_reading()
        with pytest.raises(ConnectionClosedError) as timed_out:
            await client.recv()
        assert timed_out.value.sent == Close(1011, "keepalive ping timeout")
        server.transport.resume_reading()


async def test_a_server_in_memory_takes_many_clients_and_their_handlers_run() -> None:
    async with MemoryServer(echo) as server:
        clients = [await server.connect(f"ws://host/{number}") for number in range(5)]
        assert len(server.connections) == 5
        broadcast(server.connections, "to all")
        assert [await client.recv() for client in clients] == ["to all"] * 5
        for number, client in enumerate(clients):
            await client.send(str(number))
        assert [await client.recv() for client in clients] == ["0", "1", "2", "3", "4"]
        server.close()
        for client in clients:
            with pytest.raises(ConnectionClosedOK):
                await client.recv()
            assert client.close_code == 1001
        with pytest.raises(ConnectionRefusedError):
            await server.connect()
        with pytest.raises(ConnectionRefusedError):
            server.raw_client()


async def test_connecting_again_and_again_works_in_memory() -> None:
    seen = []
    async with MemoryServer(echo) as server:
        async for client in server.connect():
            seen.append(client.id)
            if len(seen) == 3:
                break
    assert len(set(seen)) == 3


async def test_a_redirect_stays_in_memory() -> None:
    def redirect(connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/there":
            return None
        response = connection.respond(302, "")
        response.headers["Location"] = "/there"
        return response

    async with (
        MemoryServer(echo, process_request=redirect) as server,
        server.connect() as client,
    ):
        assert client.request is not None
        assert client.request.path == "/there"


async def test_the_classes_that_the_options_name_are_used() -> None:
    class Client(ClientConnection):
        pass

    class Served(ServerConnection):
        pass

    async with connected_pair({"create_connection": Client}, {"create_connection": Served}) as pair:
        assert [type(connection) for connection in pair] == [Client, Served]


async def test_nothing_is_left_of_a_pair() -> None:
    def living() -> int:
        gc.collect()
        kinds = (MemoryTransport, StreamProtocol, ws6455.Server)
        return sum(isinstance(thing, kinds) for thing in gc.get_objects())

    before, tasks = living(), len(asyncio.all_tasks())
    async with connected_pair() as (client, server):
        await client.send("x")
        await server.recv()
    del client, server
    await asyncio.sleep(0)
    assert living() == before
    assert len(asyncio.all_tasks()) == tasks
