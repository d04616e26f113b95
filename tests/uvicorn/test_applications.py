"""FastAPI, Starlette and python-socketio applications, each with real clients."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import socketio  # type: ignore[import-untyped] # it has no types
from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from tests.uvicorn import fastapi_application
from tests.uvicorn.conftest import (
    Connect,
    closing_of,
    port_of,
    refusal_of,
    serving,
    uri_of,
)


@pytest.fixture
async def fastapi() -> AsyncIterator[Any]:
    async with serving(fastapi_application.app) as server:
        yield server


async def test_text_json_and_bytes(connect: Connect, fastapi: Any) -> None:
    async with connect(uri_of(fastapi, "/text")) as client:
        await client.send("straße")
        assert await client.recv() == "STRASSE"
    async with connect(uri_of(fastapi, "/json")) as client:
        await client.send(json.dumps({"a": [1, None]}))
        assert json.loads(await client.recv()) == {"got": {"a": [1, None]}}
    async with connect(uri_of(fastapi, "/bytes")) as client:
        await client.send(b"\0\1\2")
        assert await client.recv() == b"\2\1\0"


async def test_a_subprotocol_and_a_header_of_the_response(connect: Connect, fastapi: Any) -> None:
    uri = uri_of(fastapi, "/subprotocol")
    async with connect(uri, subprotocols=["one", "two"]) as client:
        assert client.subprotocol == "two"
        assert client.response.headers["X-Chosen"] == "last"
        assert await client.recv() == "one, two"
        assert await closing_of(client) == (1000, "")


async def test_a_dependency_takes_headers_path_and_query(connect: Connect, fastapi: Any) -> None:
    uri = uri_of(fastapi, "/user/7?page=3")
    async with connect(uri, additional_headers={"X-Token": "secret"}) as client:
        assert json.loads(await client.recv()) == ["Alice", 7, 3]
        assert await closing_of(client) == (4003, "that is all")


@pytest.mark.parametrize(
    ("path", "headers", "status", "body"),
    [
        ("/user/7", {}, 403, b""),
        ("/user/seven", {"X-Token": "secret"}, 403, b""),
        ("/user/7", {"X-Token": "wrong"}, 401, b'{"detail":"wrong token"}'),
        ("/nowhere", {}, 403, b""),
    ],
)
async def test_a_refusal(
    connect: Connect, fastapi: Any, path: str, headers: dict[str, str], status: int, body: bytes
) -> None:
    response = await refusal_of(connect(uri_of(fastapi, path), additional_headers=headers))
    assert (response.status_code, response.body) == (status, body)
    if status == 401:
        assert response.headers["X-Hint"] == "secret"
        assert response.headers["Content-Type"] == "application/json"


async def test_an_exception_closes_with_its_code(connect: Connect, fastapi: Any) -> None:
    async with connect(uri_of(fastapi, "/late")) as client:
        assert await closing_of(client) == (1008, "changed my mind")


async def next_of(client: Any) -> Any:
    async with asyncio.timeout(5):
        return json.loads(await client.recv())


async def test_clients_of_one_room_hear_each_other(connect: Connect, fastapi: Any) -> None:
    fastapi_application.left.clear()
    async with connect(uri_of(fastapi, "/room/ann")) as ann:
        assert await next_of(ann) == {"joined": "ann"}
        async with connect(uri_of(fastapi, "/room/bob")) as bob:
            assert await next_of(ann) == await next_of(bob) == {"joined": "bob"}
            for number in range(50):
                await bob.send(json.dumps(number))
            for number in range(50):
                expected = {"from": "bob", "said": number}
                assert await next_of(ann) == await next_of(bob) == expected
            await bob.close(4000, "bye")
        assert await next_of(ann) == {"left": "bob"}
    assert fastapi_application.left[0] == ("bob", 4000, "bye")


class Counter(WebSocketEndpoint):
    encoding = "json"

    async def on_connect(self, websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json({"for": websocket.path_params["name"]})

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        await websocket.send_json({"sum": sum(data)})

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        websocket.app.state.codes.append(close_code)


async def test_a_starlette_endpoint(connect: Connect) -> None:
    app = Starlette(routes=[WebSocketRoute("/sum/{name}", Counter)])
    app.state.codes = []
    async with serving(app) as server:
        async with connect(uri_of(server, "/sum/of%20all")) as client:
            assert await next_of(client) == {"for": "of all"}
            await client.send("[1, 2, 3]")
            assert await next_of(client) == {"sum": 6}
        async with connect(uri_of(server, "/sum/x")) as client:
            assert await next_of(client) == {"for": "x"}
            await client.send("no json")
            assert (await closing_of(client))[0] == 1003
    assert app.state.codes == [1000, 1011]  # which Starlette says of every exception of its own


def chat() -> socketio.ASGIApp:
    """Make a Socket.IO application with rooms."""
    server = socketio.AsyncServer(async_mode="asgi")

    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        if auth != {"token": "secret"}:
            raise socketio.exceptions.ConnectionRefusedError("wrong token")

    async def enter(sid: str, room: str) -> str:
        await server.enter_room(sid, room)
        return f"in {room}"

    async def say(sid: str, room: str, what: Any) -> None:
        await server.emit("heard", what, room=room, skip_sid=sid)

    async def reverse(sid: str, data: bytes) -> tuple[bytes, int]:
        return data[::-1], len(data)

    async def call_me(sid: str, name: str) -> None:
        answer = await server.call("name", name, to=sid)
        await server.emit("named", answer, to=sid)

    async def leave(sid: str) -> None:
        await server.disconnect(sid)

    for handler in (connect, enter, say, reverse, call_me, leave):
        server.on(handler.__name__, handler)
    return socketio.ASGIApp(server)


@contextlib.asynccontextmanager
async def socketio_client(server: Any) -> AsyncIterator[tuple[Any, asyncio.Queue[Any]]]:
    """Connect a Socket.IO client; the queue gets every event that it is sent."""
    client = socketio.AsyncClient(reconnection=False)
    events: asyncio.Queue[Any] = asyncio.Queue()

    async def on_event(event: str, *data: Any) -> None:
        events.put_nowait((event, *data))

    async def name(what: str) -> str:
        return f"my name is {what}"

    async def disconnect(reason: str) -> None:
        events.put_nowait("disconnected")

    for handler in (name, disconnect):
        client.on(handler.__name__, handler)
    client.on("*", on_event)
    url = f"http://127.0.0.1:{port_of(server)}"
    await client.connect(url, transports=["websocket"], auth={"token": "secret"})
    try:
        assert client.transport() == "websocket"
        yield client, events
    finally:
        await client.disconnect()


async def test_socketio_events_acknowledgements_rooms_and_bytes() -> None:
    async with (
        serving(chat()) as server,
        socketio_client(server) as (ann, heard_by_ann),
        socketio_client(server) as (bob, heard_by_bob),
        socketio_client(server) as (cid, heard_by_cid),
    ):
        for client in (ann, bob):
            assert await client.call("enter", "green", timeout=5) == "in green"
        message = {"text": "hé", "data": bytes(range(256)) * 300}
        await ann.emit("say", ("green", message))
        async with asyncio.timeout(5):
            assert await heard_by_bob.get() == ("heard", message)
        assert await cid.call("reverse", b"\0\1\2", timeout=5) == (b"\2\1\0", 3)
        await cid.emit("call_me", "Cid")
        async with asyncio.timeout(5):
            assert await heard_by_cid.get() == ("named", "my name is Cid")
        assert heard_by_ann.empty()
        await cid.emit("leave")
        async with asyncio.timeout(5):
            assert await heard_by_cid.get() == "disconnected"
        assert ann.connected


async def test_a_socketio_client_that_is_refused() -> None:
    reasons = []

    async def connect_error(reason: Any) -> None:
        reasons.append(reason)

    async with serving(chat()) as server:
        client = socketio.AsyncClient(reconnection=False)
        client.on("connect_error", connect_error)
        url = f"http://127.0.0.1:{port_of(server)}"
        with pytest.raises(socketio.exceptions.ConnectionError, match="failed to connect"):
            await client.connect(url, transports=["websocket"], auth={})
    assert reasons == [{"message": "wrong token"}]
