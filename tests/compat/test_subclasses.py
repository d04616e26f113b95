"""Subclasses of the connection, given as `create_protocol`, as versions 8 to 13 had them."""

import asyncio
import functools
from collections.abc import Sequence
from typing import Any

import pytest

import ws6455
from tests.aio.raw import uri_of
from tests.compat.conftest import refusal, until_closed


async def test_a_subclass_overrides_process_request_and_select_subprotocol(
    serve: Any, websockets: Any
) -> None:
    # The module is what a fixture has found: to mypy its classes are Any.
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
    # The module is what a fixture has found: to mypy its classes are Any.
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


async def test_a_subclass_hears_that_the_connection_is_open(websockets: Any) -> None:
    opened = []

    # The module is what a fixture has found: to mypy its classes are Any.
    class Server(websockets.WebSocketServerProtocol):  # type: ignore[misc]
        def connection_open(self) -> None:
            opened.append(self.side)

    # The module is what a fixture has found: to mypy its classes are Any.
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


def test_a_subclass_that_would_never_be_asked_is_refused(websockets: Any) -> None:
    # The error is the product's answer, and not something left to do: see docs/migration.md.
    with pytest.raises(NotImplementedError, match=r"does not call Own\.process_extensions\(\)"):
        type("Own", (websockets.WebSocketServerProtocol,), {"process_extensions": None})
