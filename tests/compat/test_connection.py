"""ws6455.compat.connection: attributes of every version, and subclasses of versions 8 to 13."""

import asyncio
import functools
from collections.abc import Sequence
from typing import Any

import pytest

import ws6455
from tests.compat.conftest import refusal, serving, until_closed
from tests.conftest import uri_of


async def test_a_client_connection_has_the_attributes_of_every_version(
    connect: Any, websockets: Any
) -> None:
    async with serving() as (uri, first):
        websocket = await connect(uri + "chat", origin="http://o")
        assert websocket.path == "/chat"
        assert websocket.open
        assert not websocket.closed
        assert websocket.request_headers["Origin"] == websocket.origin == "http://o"
        assert websocket.response_headers is websocket.response.headers
        assert (websocket.host, websocket.port) == ("localhost", websocket.remote_address[1])
        assert (websocket.is_client, websocket.side, websocket.secure) == (True, "client", False)
        for name in ("WebSocketClientProtocol", "WebSocketCommonProtocol", "ClientConnection"):
            assert isinstance(websocket, getattr(websockets, name))
        await (await first).close(4000, "why")
        with pytest.raises(websockets.exceptions.ConnectionClosed) as caught:
            await websocket.recv()
        assert (caught.value.code, caught.value.reason) == (4000, "why")
        assert websocket.closed
        assert not websocket.open


async def test_a_server_connection_has_the_attributes_of_every_version(
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


async def test_pings_messages_and_tasks(serve: Any) -> None:
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


async def test_data_received_and_eof_received(serve: Any) -> None:
    async def handler(websocket: Any) -> None:
        websocket.data_received(b"\x81\x80\x00\x00\x00\x00")
        await websocket.send(f"got {await websocket.recv()!r}")
        assert websocket.eof_received() is False
        assert websocket.closed

    async with serve(handler, "127.0.0.1", 0) as server, ws6455.connect(uri_of(server)) as client:
        assert await client.recv() == "got ''"


async def test_fail_connection(serve: Any) -> None:
    async def handler(websocket: Any, path: str) -> None:
        websocket.fail_connection(1008, "enough")

    async with serve(handler, "127.0.0.1", 0) as server, ws6455.connect(uri_of(server)) as client:
        with pytest.raises(ws6455.ConnectionClosedError, match="1008"):
            await client.recv()


async def test_a_subclass_overrides_process_request_and_select_subprotocol(
    serve: Any, websockets: Any
) -> None:
    # To mypy the classes of the fixture's module are Any.
    class Protocol(websockets.WebSocketServerProtocol):  # type: ignore[misc]
        def __init__(self, *args: Any, greeting: str, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.greeting = greeting

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self.made = transport

        async def process_request(self, path: str, request_headers: Any) -> Any:
            assert self.made is self.transport
            if path == "/mine":
                return 403, {}, b"mine\n"
            return await super().process_request(path, request_headers)

        def select_subprotocol(
            self, client_subprotocols: Sequence[str], server_subprotocols: Sequence[str]
        ) -> Any:
            assert server_subprotocols == ["a", "b"]
            return client_subprotocols[-1]

    def process_request(path: str, headers: Any) -> Any:
        return (404, {}, b"") if path == "/argument" else None

    async def handler(websocket: Any) -> None:
        await websocket.send(websocket.greeting)

    create = functools.partial(Protocol, greeting="Hello")
    for argument in ("create_protocol", "klass"):
        options = {argument: create, "process_request": process_request}
        async with serve(handler, "127.0.0.1", 0, subprotocols=["a", "b"], **options) as server:
            assert (await refusal(uri_of(server) + "mine")).body == b"mine\n"
            assert (await refusal(uri_of(server) + "argument")).status_code == 404
            async with ws6455.connect(uri_of(server), subprotocols=["a", "b"]) as client:
                assert client.subprotocol == "b"
                assert await client.recv() == "Hello"


async def test_a_subclass_overrides_process_origin_and_process_subprotocol(
    serve: Any, websockets: Any
) -> None:
    # To mypy the classes of the fixture's module are Any.
    class Protocol(websockets.WebSocketServerProtocol):  # type: ignore[misc]
        @staticmethod
        def process_origin(headers: Any, origins: Any = None) -> Any:
            if not headers.get("Origin", "").endswith(origins[0]):
                raise websockets.InvalidOrigin(headers.get("Origin"))
            return headers["Origin"]

        def process_subprotocol(self, headers: Any, available_subprotocols: Any) -> Any:
            if "/b" in self.path:
                return "b"
            return super().process_subprotocol(headers, available_subprotocols)

    async def tell_origin(websocket: Any) -> None:
        await websocket.send(websocket.origin)

    options = {"create_protocol": Protocol, "origins": [".example"], "subprotocols": ["a"]}
    async with serve(tell_origin, "127.0.0.1", 0, **options) as server:
        uri = uri_of(server)
        assert (await refusal(uri, origin="http://wrong")).status_code == 403
        for path, subprotocol in (("a", "a"), ("b", "b")):
            async with ws6455.connect(
                uri + path, origin="http://any.example", subprotocols=["a", "b"]
            ) as client:
                assert client.subprotocol == subprotocol
                assert await client.recv() == "http://any.example"


async def test_connection_open_is_called(websockets: Any) -> None:
    opened = []

    # To mypy the classes of the fixture's module are Any.
    class Server(websockets.WebSocketServerProtocol):  # type: ignore[misc]
        def connection_open(self) -> None:
            opened.append(self.side)

    # To mypy the classes of the fixture's module are Any.
    class Client(websockets.WebSocketClientProtocol):  # type: ignore[misc]
        def connection_open(self) -> None:
            opened.append(self.side)

    options = {"create_protocol": Server, "origins": ["http://o"]}
    async with websockets.serve(until_closed, "127.0.0.1", 0, **options) as server:
        async with websockets.connect(uri_of(server), create_protocol=Client, origin="http://o"):
            pass
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(uri_of(server), create_protocol=Client)
    assert sorted(opened) == ["client", "server"]


def test_overriding_a_method_that_is_never_called_is_an_error(websockets: Any) -> None:
    # The error is intended: see docs/migration.md.
    with pytest.raises(NotImplementedError, match=r"does not call Own\.process_extensions\(\)"):
        type("Own", (websockets.WebSocketServerProtocol,), {"process_extensions": None})
