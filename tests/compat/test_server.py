"""Servers as versions 8 to 13 wrote them, each through its own connection."""

import asyncio
import http
import logging
from collections.abc import Sequence
from typing import Any

import pytest

import ws6455
from tests.aio.raw import uri_of
from tests.compat.conftest import refusal, until_closed


async def test_a03_a_connection_shows_what_it_did_in_every_version(
    serve: Any, websockets: Any
) -> None:
    seen: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def handler(websocket: Any, path: str) -> None:
        seen.set_result((websocket, path))
        await websocket.wait_closed()

    async with serve(handler, "127.0.0.1", 0) as server:
        async with ws6455.connect(uri_of(server) + "chat?room=1", origin="http://o") as client:
            websocket, path = await seen
            assert path == websocket.path == websocket.request.path == "/chat?room=1"
            assert websocket.open
            assert not websocket.closed
            assert websocket.request_headers is websocket.request.headers
            assert websocket.response_headers["Upgrade"] == "websocket"
            assert websocket.origin == "http://o"
            assert [extension.name for extension in websocket.extensions] == ["permessage-deflate"]
            assert (websocket.host, websocket.port, websocket.secure) == (
                *websocket.local_address[:2],
                False,
            )
            assert (websocket.is_client, websocket.side) == (False, "server")
            assert websocket.timeout == websocket.close_timeout == 10
            assert websocket.ws_server is websocket.server is server
            assert not websocket.handler_task.done()
            assert set(server.websockets) == {websocket} == server.connections
            assert websocket in server.websockets
            assert server.websockets - {websocket} == set()
            for name in ("WebSocketServerProtocol", "WebSocketCommonProtocol", "ServerConnection"):
                assert isinstance(websocket, getattr(websockets, name))
            await websocket.ensure_open()
            await client.close(3000, "bye")
        await websocket.wait_closed()
        assert websocket.closed
        assert websocket.close_rcvd == ws6455.Close(3000, "bye") == websocket.close_sent
        with pytest.raises(websockets.ConnectionClosedError) as caught:
            await websocket.ensure_open()
        assert (caught.value.code, caught.value.reason) == (3000, "bye")
    assert len(server.websockets) == 0


async def test_a_connection_tells_what_it_waits_for(serve: Any) -> None:
    seen: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def handler(websocket: Any) -> None:
        seen.set_result(websocket)
        await websocket.wait_closed()

    async with serve(handler, "127.0.0.1", 0) as server, ws6455.connect(uri_of(server)) as client:
        websocket = await seen
        pong = await websocket.ping(b"payload")
        assert websocket.pings[b"payload"][0] is pong
        await pong
        assert websocket.pings == {}
        await client.send("hello")
        await (await client.ping())  # its pong comes after the message was received
        assert list(websocket.messages) == ["hello"]
        assert websocket.transfer_data_task is websocket.close_connection_task
        assert not websocket.keepalive_ping_task.done()
        await client.close()
        await websocket.transfer_data_task


async def test_bytes_can_be_fed_by_hand(serve: Any) -> None:
    async def handler(websocket: Any) -> None:
        websocket.data_received(b"\x81\x80\x00\x00\x00\x00")
        await websocket.send(f"got {await websocket.recv()!r}")
        assert websocket.eof_received() is False
        assert websocket.closed

    async with serve(handler, "127.0.0.1", 0) as server, ws6455.connect(uri_of(server)) as client:
        assert await client.recv() == "got ''"


async def test_a_server_can_be_awaited_and_told_of_connections(serve: Any, websockets: Any) -> None:
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


async def test_fail_connection_says_why(serve: Any) -> None:
    async def handler(websocket: Any, path: str) -> None:
        websocket.fail_connection(1008, "enough")

    async with serve(handler, "127.0.0.1", 0) as server, ws6455.connect(uri_of(server)) as client:
        with pytest.raises(ws6455.ConnectionClosedError, match="1008"):
            await client.recv()


@pytest.mark.parametrize("body", [b"OK\n", b""])
async def test_process_request_takes_path_and_headers_and_gives_a_tuple(
    serve: Any, body: bytes
) -> None:
    async def process_request(path: str, request_headers: Any) -> Any:
        assert "Sec-WebSocket-Key" in request_headers
        if path == "/health":
            return http.HTTPStatus.OK, [("X-Health", "good")], body
        return None

    async with serve(until_closed, "127.0.0.1", 0, process_request=process_request) as server:
        response = await refusal(uri_of(server) + "health")
        assert (response.status_code, response.reason_phrase) == (200, "OK")
        assert (response.headers["X-Health"], response.body) == ("good", body)
        assert response.headers["Connection"] == "close"
        async with ws6455.connect(uri_of(server)) as client:
            assert client.state is ws6455.State.OPEN


async def test_process_request_takes_connection_and_request(serve: Any, websockets: Any) -> None:
    def process_request(connection: Any, request: Any) -> Any:
        assert isinstance(connection, websockets.ServerConnection)
        return connection.respond(404, request.path) if request.path != "/" else None

    async with serve(until_closed, "127.0.0.1", 0, process_request=process_request) as server:
        assert (await refusal(uri_of(server) + "lost")).body == b"/lost"
        async with ws6455.connect(uri_of(server)):
            pass


async def test_an_argument_s_name_tells_the_form_and_else_the_place_does(websockets: Any) -> None:
    given: list[tuple[type, type]] = []

    def process_request(*args: Any) -> None:
        given.append((type(args[0]), type(args[1])))

    for serve in (websockets.serve, websockets.legacy.server.serve):
        async with (
            serve(until_closed, "127.0.0.1", 0, process_request=process_request) as server,
            ws6455.connect(uri_of(server)),
        ):
            pass
    assert given == [
        (websockets.ServerConnection, ws6455.Request),
        (str, ws6455.Headers),
    ]


async def test_abort_handshake_is_the_response(serve: Any, websockets: Any) -> None:
    async def process_request(path: str, headers: Any) -> Any:
        raise websockets.AbortHandshake(http.HTTPStatus.GONE, {"X-Reason": "age"}, b"gone\n")

    async with serve(until_closed, "127.0.0.1", 0, process_request=process_request) as server:
        response = await refusal(uri_of(server))
        assert (response.status_code, response.headers["X-Reason"]) == (410, "age")
        assert response.body == b"gone\n"


async def test_select_subprotocol_takes_two_lists(serve: Any) -> None:
    def select(client_subprotocols: Any, server_subprotocols: Any) -> Any:
        assert (client_subprotocols, server_subprotocols) == (["b", "a"], ["a", "b"])
        return "b"

    options = {"subprotocols": ["a", "b"], "select_subprotocol": select}
    async with (
        serve(until_closed, "127.0.0.1", 0, **options) as server,
        ws6455.connect(uri_of(server), subprotocols=["b", "a"]) as client,
    ):
        assert client.subprotocol == "b"


async def test_select_subprotocol_takes_connection_and_list(serve: Any) -> None:
    def select(connection: Any, subprotocols: Sequence[str]) -> str:
        assert connection.protocol.side is ws6455.Side.SERVER
        return subprotocols[-1]

    options = {"subprotocols": ["a", "b"], "select_subprotocol": select}
    async with (
        serve(until_closed, "127.0.0.1", 0, **options) as server,
        ws6455.connect(uri_of(server), subprotocols=["b", "a"]) as client,
    ):
        assert client.subprotocol == "a"


async def test_without_a_subprotocol_the_old_rule_goes_on_and_the_new_refuses(
    websockets: Any,
) -> None:
    options = {"subprotocols": ["a", "b"]}
    async with websockets.server.serve(until_closed, "127.0.0.1", 0, **options) as server:
        async with ws6455.connect(uri_of(server)) as client:
            assert client.subprotocol is None
        async with ws6455.connect(uri_of(server), subprotocols=["b", "c", "a"]) as client:
            assert (
                client.subprotocol == "b"
            )  # its places, 0 and 1, are before those of "a", 2 and 0
    async with websockets.serve(until_closed, "127.0.0.1", 0, **options) as server:
        assert (await refusal(uri_of(server))).status_code == 400


def extra_headers(path: str, request_headers: Any) -> list[tuple[str, str]]:
    assert "Upgrade" in request_headers
    return [("X-Extra", path)]


@pytest.mark.parametrize("extra", [{"X-Extra": "/"}, [("X-Extra", "/")], extra_headers])
async def test_extra_headers_come_with_the_response(serve: Any, extra: Any) -> None:
    async with (
        serve(until_closed, "127.0.0.1", 0, extra_headers=extra) as server,
        ws6455.connect(uri_of(server)) as client,
    ):
        assert client.response is not None
        assert client.response.headers["X-Extra"] == "/"


async def test_process_response_comes_before_extra_headers(websockets: Any) -> None:
    async def process_response(connection: Any, request: Any, response: Any) -> None:
        response.headers["X-Extra"] = "first"

    options = {"extra_headers": {"X-Extra": "second"}, "process_response": process_response}
    async with (
        websockets.serve(until_closed, "127.0.0.1", 0, **options) as server,
        ws6455.connect(uri_of(server)) as client,
    ):
        assert client.response is not None
        assert client.response.headers.get_all("X-Extra") == ["first", "second"]


async def test_old_arguments_are_taken(serve: Any) -> None:
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


def test_a_server_is_built_outside_of_a_loop(serve: Any) -> None:
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


async def test_legacy_broadcast_takes_raise_exceptions_by_position(websockets: Any) -> None:
    async with (
        websockets.server.serve(until_closed, "127.0.0.1", 0) as server,
        ws6455.connect(uri_of(server)) as client,
    ):
        websockets.server.broadcast(server.websockets, "to all", True)
        assert await client.recv() == "to all"


async def test_an_extension_of_its_own_is_refused_at_once(websockets: Any) -> None:
    # The module is what a fixture has found: to mypy its classes are Any.
    class Factory(websockets.extensions.ServerExtensionFactory):  # type: ignore[misc]
        name = "x-own"

    # The error is the product's answer, and not something left to do: see docs/migration.md.
    with pytest.raises(NotImplementedError, match="not x-own"):
        websockets.serve(until_closed, "127.0.0.1", 0, extensions=[Factory()])
