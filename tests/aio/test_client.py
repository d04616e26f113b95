"""connect: its three uses, its arguments, and every way in which it fails."""

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import port_of, uri_of
from tests.frames import text
from ws6455 import (
    ClientConnection,
    InvalidHandshake,
    InvalidHeader,
    InvalidMessage,
    InvalidStatus,
    InvalidUpgrade,
    InvalidURI,
    NegotiationError,
    Response,
    ServerConnection,
    State,
    connect,
    serve,
    unix_connect,
    unix_serve,
)
from ws6455.testing import RawServer, opening_response


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def check_echo(client: ClientConnection) -> None:
    await client.send("x")
    assert await client.recv() == "x"


async def test_await_and_async_with() -> None:
    async with serve(echo, "localhost", 0) as server:
        client = await connect(uri_of(server))
        await check_echo(client)
        await client.close()
        opening = connect(uri_of(server))
        async with opening as client:
            assert opening.connection is client
            with pytest.raises(RuntimeError, match="reentrant"):
                await opening.__aenter__()
            await check_echo(client)
        assert client.state is State.CLOSED
        async with opening as another:
            assert another is not client


async def test_wait_for_and_gather_take_it() -> None:
    async with serve(echo, "localhost", 0) as server:
        client = await asyncio.wait_for(connect(uri=uri_of(server)), 5)
        clients = await asyncio.gather(*(connect(uri_of(server)) for _ in range(3)))
        for connection in (client, *clients):
            await connection.close()


def test_it_needs_no_running_loop_until_awaited() -> None:
    opening = connect("ws://localhost:1/")
    assert (opening.uri, opening.ws_uri.port) == ("ws://localhost:1/", 1)


@pytest.mark.parametrize(
    ("uri", "options", "error"),
    [
        ("http://localhost/", {}, InvalidURI),
        ("ws://localhost/#fragment", {}, InvalidURI),
        ("ws://localhost/", {"compression": "zip"}, ValueError),
        ("ws://localhost/", {"subprotocols": "chat"}, TypeError),
        ("ws://localhost/", {"ssl": True}, ValueError),
        ("wss://localhost/", {"ssl": None}, ValueError),
    ],
)
def test_wrong_arguments_are_told_at_once(
    uri: str, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        connect(uri, **options)


async def answering(server: RawServer, answer: Callable[[str], bytes], hold: bool = False) -> None:
    peer = await server.accept()
    peer.send(answer(await peer.head()))
    if not hold:
        await peer.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda r: opening_response(r, {"Sec-WebSocket-Accept": None}), InvalidHeader),
        (lambda r: opening_response(r, {"sec-websocket-accept": "a second one"}), InvalidHeader),
        (lambda r: opening_response(r).replace(b"Accept: ", b"Accept: a"), InvalidHeader),
        (lambda r: opening_response(r, {"Upgrade": "h2c"}), InvalidUpgrade),
        (lambda r: opening_response(r, {"Sec-WebSocket-Protocol": "a"}), NegotiationError),
        (lambda r: opening_response(r, {"Sec-WebSocket-Extensions": "a"}), NegotiationError),
        (lambda r: opening_response(r).replace(b"/1.1", b"/1.0"), InvalidHandshake),
        (lambda r: b"SSH-2.0-x\r\n\r\n", InvalidMessage),
        (lambda r: b"HTTP/1.1 101 Switching Protocols\r\nUpg", InvalidMessage),
        (lambda r: b"", InvalidMessage),
    ],
)
async def test_answers_that_fail_the_handshake(
    answer: Callable[[str], bytes], error: type[Exception]
) -> None:
    async with RawServer() as server:
        answered = asyncio.create_task(answering(server, answer))
        with pytest.raises(error):
            await connect(server.uri)
        await answered


@pytest.mark.parametrize("status", [200, 302, 401, 403, 500])
@pytest.mark.parametrize("length", [True, False], ids=["Content-Length", "to the end"])
async def test_a_refusal_has_status_headers_and_body(status: int, length: bool) -> None:
    head = f"HTTP/1.1 {status} Reason\r\nX-Why: because\r\n"
    head += "Content-Length: 4\r\n" if length else ""
    async with RawServer() as server:
        answered = asyncio.create_task(
            answering(server, lambda _: f"{head}\r\nbody".encode(), hold=length)
        )
        with pytest.raises(InvalidStatus, match=f"HTTP {status}") as caught:
            await connect(server.uri)
        await answered
    response = caught.value.response
    assert (response.status_code, response.body) == (status, b"body")
    assert isinstance(response, Response)
    assert response.headers["X-Why"] == "because"


async def test_a_server_that_does_not_answer_runs_into_the_timeout() -> None:
    async with RawServer() as server:
        started = time.monotonic()
        with pytest.raises(TimeoutError, match=r"during opening handshake, after 0\.1 s"):
            await connect(server.uri, open_timeout=0.1)
        assert 0.05 < time.monotonic() - started < 1
        peer = await server.accept()
        await peer.head()
        assert await peer.bytes_to_end() == b""  # the client has let TCP go
        assert not peer.was_reset


async def test_no_timeout() -> None:
    async with (
        serve(echo, "localhost", 0, open_timeout=None) as server,
        connect(uri_of(server), open_timeout=None) as client,
    ):
        await check_echo(client)


async def test_nobody_listens_and_no_such_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    with pytest.raises(ConnectionRefusedError, match=f"cannot connect to 127.0.0.1:{port}: "):
        await connect(f"ws://127.0.0.1:{port}/")
    with pytest.raises(socket.gaierror):
        await connect("ws://name.invalid/")


async def test_what_the_request_says() -> None:
    async with RawServer() as server:
        uri = server.uri.replace("ws://", "ws://user:p%40ss@") + "path?q=é"
        opening = asyncio.ensure_future(
            asyncio.wait_for(
                connect(
                    uri,
                    origin="https://o.example",
                    additional_headers={"X-More": "1"},
                    subprotocols=["a", "b"],
                    user_agent_header=None,
                    compression=None,
                ),
                5,
            )
        )
        peer = await server.accept()
        request = await peer.open({"Sec-WebSocket-Protocol": "b"})
        client = await opening
        assert client.subprotocol == "b"
        lines = request.split("\r\n")
        assert lines[0] == "GET /path?q=%C3%A9 HTTP/1.1"
        assert {
            "Authorization: Basic dXNlcjpwQHNz",
            "Origin: https://o.example",
            "X-More: 1",
            "Sec-WebSocket-Protocol: a, b",
            "Sec-WebSocket-Version: 13",
        } <= set(lines)
        assert "User-Agent" not in request
        assert "Sec-WebSocket-Extensions" not in request
        await peer.close()
        await client.wait_closed()


async def test_the_user_agent_can_be_set_in_two_ways() -> None:
    for options in (
        {"user_agent_header": "mine"},
        {"additional_headers": [("User-Agent", "mine")]},
    ):
        async with serve(echo, "localhost", 0) as server, connect(uri_of(server), **options):
            [connection] = server.connections
            assert connection.request is not None
            assert connection.request.headers.get_all("User-Agent") == ["mine"]


async def test_frames_glued_to_the_response_are_received() -> None:
    async with RawServer() as server:
        opening = asyncio.ensure_future(asyncio.wait_for(connect(server.uri), 5))
        peer = await server.accept()
        peer.send(opening_response(await peer.head()), text("early"))
        client = await opening
        assert await client.recv() == "early"
        await peer.close()
        await client.wait_closed()


async def test_another_host_and_port_a_socket_and_ipv6() -> None:
    async with serve(echo, "127.0.0.1", 0) as server:
        port = port_of(server)
        async with connect("ws://name.invalid/", host="127.0.0.1", port=port) as client:
            await check_echo(client)
            assert client.request is not None
            assert client.request.headers["Host"] == "name.invalid"
        with socket.create_connection(("127.0.0.1", port)) as sock:
            async with connect("ws://name.invalid/", sock=sock) as client:
                await check_echo(client)
    async with (
        serve(echo, "::1", 0) as server,
        connect(f"ws://[::1]:{port_of(server)}/") as client,
    ):
        await check_echo(client)
        assert client.request is not None
        assert client.request.headers["Host"] == f"[::1]:{port_of(server)}"


async def test_unix_sockets(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with unix_serve(echo, path) as server, unix_connect(path) as client:
        await check_echo(client)
        assert client.request is not None
        assert client.request.headers["Host"] == "localhost"
        assert len(server.connections) == 1


async def test_a_connection_class_of_ones_own() -> None:
    class Mine(ClientConnection):
        pass

    async with (
        serve(echo, "localhost", 0) as server,
        connect(uri_of(server), create_connection=Mine) as client,
    ):
        assert isinstance(client, Mine)


async def test_a02_the_old_name_of_additional_headers_is_for_compat_alone() -> None:
    async with RawServer() as server:
        with pytest.raises(TypeError, match="extra_headers"):
            await connect(server.uri, extra_headers={"X-More": "1"})
