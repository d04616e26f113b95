"""Nothing is left behind: no reference cycle, task, timer or file descriptor."""

import asyncio
import contextlib
import logging
import os
import weakref
from typing import Any

import pytest

from tests.aio.conftest import iterate, send_last, server_and_peer, until
from tests.conftest import port_of, uri_of
from tests.frames import close, text
from ws6455 import (
    ClientConnection,
    ConnectionClosed,
    Frame,
    InvalidStatus,
    Opcode,
    Request,
    Response,
    ServerConnection,
    connect,
    serve,
)
from ws6455.testing import RawPeer, RawServer

pytestmark = pytest.mark.usefixtures("no_collector")


async def end_by_the_other_side(peer: RawPeer) -> None:
    await send_last(peer, close(1000))


async def end_by_a_violation(peer: RawPeer) -> None:
    peer.send(b"\x83\x80\x00\x00\x00\x00")
    await peer.valid_frame()
    await peer.close()


async def end_by_bad_text(peer: RawPeer) -> None:
    peer.send(text("fine"), Frame(Opcode.TEXT, b"\xff"))
    await peer.valid_frame()
    await peer.close()


async def end_by_a_reset(peer: RawPeer) -> None:
    peer.reset()


ENDS = [end_by_the_other_side, end_by_a_violation, end_by_bad_text, end_by_a_reset]


@pytest.mark.parametrize("end", ENDS)
async def test_a12_a_servers_connection_dies_with_its_last_reference(end: Any) -> None:
    references: list[weakref.ref[ServerConnection]] = []

    async def handler(connection: ServerConnection) -> None:
        references.append(weakref.ref(connection))
        async for message in connection:
            await connection.send(message)

    async with serve(handler, "localhost", 0) as server:
        peer = await RawPeer.connect("127.0.0.1", port_of(server))
        await handshake(peer)
        await until(lambda: bool(references))
        await end(peer)
        await until(lambda: not server._all)
        await iterate(5)
        assert [reference() for reference in references] == [None]
        await peer.close()


async def handshake(peer: RawPeer) -> None:
    await peer.open()


@pytest.mark.parametrize("end", ENDS)
async def test_a12_a_clients_connection_dies_with_its_last_reference(end: Any) -> None:
    async def use(uri: str) -> weakref.ref[Any]:
        client = await connect(uri)
        with contextlib.suppress(ConnectionClosed):
            while True:
                await client.recv()
        return weakref.ref(client)

    async with RawServer() as server:
        using = asyncio.create_task(use(server.uri))
        peer = await server.accept()
        await peer.open()
        await end(peer)
        reference = await using
        del using
        await iterate(5)
        assert reference() is None


async def test_both_ends_of_a_closed_connection_die() -> None:
    references: list[weakref.ref[Any]] = []

    async def handler(connection: ServerConnection) -> None:
        references.append(weakref.ref(connection))
        await connection.ping()
        async for message in connection:
            await connection.send(message)

    async with serve(handler, "localhost", 0) as server:
        async with connect(uri_of(server)) as client:
            references.append(weakref.ref(client))
            await client.send("x" * 1000)
            assert await client.recv() == "x" * 1000
            await client.ping()
        del client
        await until(lambda: not server._all)
        await iterate(5)
        assert [reference() for reference in references] == [None, None]


async def test_a_refused_client_and_its_servers_end_die() -> None:
    references: list[weakref.ref[Any]] = []

    class Client(ClientConnection):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            references.append(weakref.ref(self))

    def refuse(connection: ServerConnection, request: Request) -> Response:
        references.append(weakref.ref(connection))
        if request.path == "/break":
            raise LookupError
        return connection.respond(403, "no")

    silent = logging.getLogger("silent")
    silent.disabled = True  # what is logged, and kept by pytest, refers to the connection
    handler = ServerConnection.wait_closed
    async with serve(handler, "localhost", 0, process_request=refuse, logger=silent) as server:
        for path in ("", "break"):
            with contextlib.suppress(InvalidStatus):
                await connect(uri_of(server) + path, create_connection=Client)
        await until(lambda: not server._all)
        await iterate(5)
        assert [reference() for reference in references] == [None] * 4


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_many_connections_leave_no_descriptor_and_no_task() -> None:
    async def handler(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(handler, "localhost", 0) as server:
        before = open_descriptors()
        tasks = asyncio.all_tasks()
        for number in range(100):
            if number % 4 == 3:
                peer = await RawPeer.connect("127.0.0.1", port_of(server))
                peer.reset()
                continue
            async with connect(uri_of(server)) as client:
                await client.send("x")
                if number % 4:
                    assert await client.recv() == "x"
                else:
                    client._abort()
        await until(lambda: not server._all)
        await iterate(5)
        assert asyncio.all_tasks() == tasks
        assert open_descriptors() == before


async def test_a_refused_client_lets_tcp_go() -> None:
    def refuse(connection: ServerConnection, _: Any) -> Any:
        return connection.respond(403, "no")

    async with serve(
        ServerConnection.wait_closed, "localhost", 0, process_request=refuse
    ) as server:
        before = open_descriptors()
        for _ in range(10):
            with pytest.raises(InvalidStatus):
                await connect(uri_of(server))
        await until(lambda: not server._all)
        await iterate(5)
        assert open_descriptors() == before


async def test_a_closed_connection_has_no_timer_left() -> None:
    async with server_and_peer() as (connection, peer):
        assert connection._timer is not None
        await send_last(peer, close(1000))
        await connection.wait_closed()
        assert connection._timer is None
