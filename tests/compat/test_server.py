"""ws6455.compat.server: asyncio servers as written for versions 8 to 13."""

import asyncio
import logging
import socket
from pathlib import Path
from typing import Any

import pytest

import ws6455
from tests.compat.conftest import until_closed
from tests.conftest import uri_of


async def test_a_server_is_awaitable_and_registers_connections(serve: Any, websockets: Any) -> None:
    server = await serve(until_closed, "127.0.0.1", 0)
    assert await server is server
    assert isinstance(server, websockets.WebSocketServer)
    async with websockets.connect(uri_of(server)) as client:
        (websocket,) = server.websockets
        server.unregister(websocket)
        assert server.websockets == set()
        server.register(websocket)
        assert server.websockets == {websocket}
        server.close()
        await client.wait_closed()
        assert client.close_code == 1001
    await server.wait_closed()


async def test_old_arguments_are_accepted(serve: Any) -> None:
    seen: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def handler(websocket: Any) -> None:
        seen.set_result(websocket)

    server = await serve(
        ws_handler=handler,
        host=["127.0.0.1"],
        port=0,
        timeout=3,
        loop=asyncio.get_running_loop(),
        read_limit=1 << 16,
        legacy_recv=False,
        max_queue=32,
    )
    async with ws6455.connect(uri_of(server)):
        assert (await seen).close_timeout == 3
    server.close()
    await server.wait_closed()
    with pytest.raises(TypeError, match="needs a handler"):
        serve(host="127.0.0.1")


def test_a_server_is_created_outside_an_event_loop(serve: Any) -> None:
    loop = asyncio.new_event_loop()
    try:
        starting = serve(until_closed, "127.0.0.1", 0)
        server = loop.run_until_complete(starting)
        assert starting.ws_server is server
        assert server.is_serving()
        server.close()
        loop.run_until_complete(server.wait_closed())
    finally:
        loop.close()


async def test_the_logger_keeps_its_name(
    serve: Any, websockets: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def handler(websocket: Any) -> None:
        raise LookupError

    async with serve(handler, "127.0.0.1", 0) as server, websockets.connect(uri_of(server)) as ws:
        await ws.wait_closed()
    assert {record.name for record in caplog.records} <= {"websockets.server", "websockets.client"}
    assert "connection handler failed" in caplog.messages


async def test_raise_exceptions_of_legacy_broadcast_is_positional(websockets: Any) -> None:
    async with (
        websockets.server.serve(until_closed, "127.0.0.1", 0) as server,
        ws6455.connect(uri_of(server)) as client,
    ):
        websockets.server.broadcast(server.websockets, "to all", True)
        assert await client.recv() == "to all"


def test_the_name_of_a_socket(websockets: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        assert websockets.utils.get_socket_name(sock) == f"127.0.0.1:{port}"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "socket"))
        assert websockets.utils.get_socket_name(sock) == str(tmp_path / "socket")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as sock:
        assert websockets.utils.get_socket_name(sock).startswith("[::1]:")
