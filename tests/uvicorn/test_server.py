"""uvicorn's side: its options, its shutdown, its transports, its command line."""

import asyncio
import logging
import re
import ssl
import sys
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop
import websockets
from uvicorn.protocols.utils import ClientDisconnected

import ws6455
from tests.aio.conftest import until
from tests.uvicorn import fastapi_application
from tests.uvicorn.conftest import (
    REQUEST,
    Connect,
    closing_of,
    port_of,
    raw,
    refusal_of,
    serving,
    uri_of,
)
from tests.uvicorn.test_asgi import Recorder, accept, echo, wait_for_the_end
from ws6455 import Opcode
from ws6455.testing import RawPeer
from ws6455.uvicorn import WebSocketProtocol

ROOT = Path(__file__).parents[2]


def connection_of(server: uvicorn.Server) -> ws6455.ServerConnection:
    """Give the connection of the only client."""
    (protocol,) = server.server_state.connections
    assert isinstance(protocol, WebSocketProtocol)
    assert isinstance(protocol._connection, ws6455.ServerConnection)
    return protocol._connection


# Options ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ws", [WebSocketProtocol, "ws6455.uvicorn:WebSocketProtocol"])
async def test_the_class_is_given_itself_or_by_name(ws: Any) -> None:
    async with serving(Recorder(echo), ws=ws) as server, ws6455.connect(uri_of(server)) as client:
        assert isinstance(connection_of(server), ws6455.ServerConnection)
        await client.send("hello")
        assert await client.recv() == "hello"


@pytest.mark.parametrize("compressed", [True, False])
async def test_compression_is_negotiated_unless_switched_off(
    connect: Connect, compressed: bool
) -> None:
    async with (
        serving(Recorder(echo), ws_per_message_deflate=compressed) as server,
        connect(uri_of(server)) as client,
    ):
        assert bool(client.protocol.extensions) is compressed
        for _ in range(2):
            await client.send("message" * 1000)
            assert await client.recv() == "message" * 1000


async def test_a_message_above_ws_max_size_fails_the_connection(connect: Connect) -> None:
    app = Recorder(wait_for_the_end)
    async with serving(app, ws_max_size=1000) as server, connect(uri_of(server)) as client:
        await client.send(bytes(1001))
        assert (await closing_of(client))[0] == 1009
        assert (await app.ended)["type"] == "websocket.disconnect"


async def test_a_client_that_answers_no_ping_is_disconnected() -> None:
    app = Recorder(wait_for_the_end)
    async with serving(app, ws_ping_interval=0.05, ws_ping_timeout=0.05) as server:
        peer = await raw(server)
        await peer.head()
        frames = await peer.frames_to_close()
        assert [frame.opcode for frame in frames[-2:]] == [Opcode.PING, Opcode.CLOSE]
        assert frames[-1].data == b"\x03\xf3keepalive ping timeout"
        assert await peer.bytes_to_end() == b""
        await peer.close()
        assert await app.ended == {
            "type": "websocket.disconnect",
            "code": 1011,
            "reason": "keepalive ping timeout",
        }


@pytest.mark.parametrize("interval", [None, 0])
async def test_pings_can_be_switched_off(interval: float | None) -> None:
    async with (
        serving(Recorder(echo), ws_ping_interval=interval) as server,
        ws6455.connect(uri_of(server)),
    ):
        assert connection_of(server).ping_interval is None


# Flow control -------------------------------------------------------------------------------


async def test_reading_pauses_while_the_application_does_not_receive(connect: Connect) -> None:
    go_on = asyncio.Event()

    async def body(receive: Any, send: Any) -> list[bytes]:
        await accept(receive, send)
        await go_on.wait()
        return [(await receive())["bytes"] for _ in range(200)]

    app = Recorder(body)
    sent = [bytes([number]) * 50_000 for number in range(200)]

    async def send_all(client: Any) -> None:
        for message in sent:
            await client.send(message)

    async with (
        serving(app, ws_max_queue=4) as server,
        connect(uri_of(server), compression=None) as client,
    ):
        sending = asyncio.create_task(send_all(client))
        connection = connection_of(server)
        transport = connection.transport
        assert transport is not None
        await until(lambda: not transport.is_reading())
        assert len(connection.protocol.queue.messages) < 50
        assert not sending.done()
        go_on.set()
        assert await app.ended == sent
        await sending


async def test_send_waits_for_a_client_that_does_not_read() -> None:
    sent = 0

    async def body(receive: Any, send: Any) -> None:
        nonlocal sent
        await accept(receive, send)
        for _ in range(100):
            await send({"type": "websocket.send", "bytes": bytes(100_000)})
            sent += 1

    app = Recorder(body)
    async with serving(app) as server:
        peer = await raw(server)
        await peer.head()
        await until(lambda: sent > 0)
        transport = connection_of(server).transport
        assert transport is not None
        await until(lambda: transport.get_write_buffer_size() > 1 << 15)
        assert sent < 100
        for _ in range(100):
            assert len((await peer.valid_frame()).data) == 100_000
        await app.ended
        await peer.answer_close()
        await peer.close()


# Shutdown -----------------------------------------------------------------------------------


async def test_a_graceful_shutdown_closes_clients_with_1012(connect: Connect) -> None:
    async with serving(fastapi_application.app) as server:
        fastapi_application.left.clear()
        clients = [await connect(uri_of(server, f"/room/{n}")).__aenter__() for n in range(3)]
        server.should_exit = True
        for client in clients:
            assert await closing_of(client) == (1012, "")
    assert sorted(fastapi_application.left) == [(str(n), 1012, "") for n in range(3)]
    assert not server.server_state.connections
    assert not server.server_state.tasks


async def test_a_shutdown_refuses_a_client_that_has_no_answer_yet(connect: Connect) -> None:
    asked = asyncio.Event()

    async def body(receive: Any, send: Any) -> Any:
        await receive()
        asked.set()
        event = await receive()
        await send({"type": "websocket.accept"})
        return event

    app = Recorder(body)
    async with serving(app) as server:
        connecting = asyncio.create_task(refusal_of(connect(uri_of(server))))
        await asked.wait()
        server.should_exit = True
        assert (await connecting).status_code == 503
    with pytest.raises(ClientDisconnected):
        app.ended.result()


async def test_an_application_that_does_not_end_is_cancelled_after_the_grace_period() -> None:
    async def body(receive: Any, send: Any) -> None:
        await accept(receive, send)
        await asyncio.Event().wait()

    app = Recorder(body)
    async with (
        serving(app, timeout_graceful_shutdown=1) as server,
        ws6455.connect(uri_of(server)) as client,
    ):
        server.should_exit = True
        assert await closing_of(client) == (1012, "")
    with pytest.raises(asyncio.CancelledError):
        await app.ended


async def test_an_application_that_is_cancelled_leaves_no_client_behind(connect: Connect) -> None:
    async def body(receive: Any, send: Any) -> None:
        await accept(receive, send)
        raise asyncio.CancelledError

    async with serving(Recorder(body)) as server, connect(uri_of(server)) as client:
        assert (await closing_of(client))[0] == 1001


# The transport ------------------------------------------------------------------------------


async def read_response(peer: RawPeer) -> bytes:
    """Read a response that has a Content-Length; give its body."""
    head = await peer.head()
    assert head.startswith("HTTP/1.1 200 ")
    length = re.search(r"(?i)content-length: (\d+)", head)
    assert length is not None
    return await peer.exact_bytes(int(length[1]))


@pytest.mark.parametrize("size", [0, 8_000_000])
async def test_an_http_response_goes_out_before_the_connection_opens(size: int) -> None:
    # The larger one is still in the transport's buffer when the connection takes it over.
    async with serving(fastapi_application.app) as server:
        peer = await RawPeer.connect("127.0.0.1", port_of(server))
        peer.send(f"GET /page?size={size} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        peer.send(REQUEST.replace("/a%20b", "/text").encode() + b"\r\n")
        await until(
            lambda: any(
                isinstance(protocol, WebSocketProtocol)
                and protocol._connection is not None
                and protocol._connection.state is ws6455.State.OPEN
                for protocol in server.server_state.connections
            )
        )
        connection = connection_of(server)
        assert connection.transport is not None
        assert bool(connection.transport.get_write_buffer_size()) is bool(size)
        assert connection._io.writing_paused is bool(size)
        assert len(await read_response(peer)) == size + len('{"page":""}')
        assert (await peer.head()).startswith("HTTP/1.1 101 ")
        peer.send(ws6455.Frame(Opcode.TEXT, b"hello"))
        assert (await peer.valid_frame()).data == b"HELLO"
        assert not connection_of(server)._io.writing_paused
        await peer.close()


async def test_over_tls(connect: Connect, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server_context, client_context = contexts
    app = Recorder(echo)
    async with serving(app, tls=server_context) as server:
        uri = f"wss://localhost:{port_of(server)}/"
        async with connect(uri, ssl=client_context) as client:
            await client.send(bytes(300_000))
            assert await client.recv() == bytes(300_000)
    assert app.scope["scheme"] == "wss"


def test_on_uvloop() -> None:
    async def main() -> Any:
        app = Recorder(echo)
        async with serving(app) as server, ws6455.connect(uri_of(server)) as client:
            await client.send(bytes(300_000))
            assert await client.recv() == bytes(300_000)
            server.should_exit = True
            return await closing_of(client)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == (1012, "")


async def test_a_connection_that_has_ended_is_freed_at_once(no_collector: None) -> None:
    app = Recorder(wait_for_the_end)
    async with serving(app) as server:
        async with ws6455.connect(uri_of(server)):
            connection = weakref.ref(connection_of(server))
        await app.ended
        await until(lambda: connection() is None)


async def test_uvicorn_logs_each_answer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "uvicorn.error")
    async with serving(fastapi_application.app) as server:
        async with ws6455.connect(uri_of(server, "/text?a=b")):
            pass
        for token in ("", "wrong"):
            headers = {"X-Token": token} if token else None
            with pytest.raises(ws6455.InvalidStatus):
                await ws6455.connect(uri_of(server, "/user/7"), additional_headers=headers)
    lines = [re.sub(r"127.0.0.1:\d+", "CLIENT", record.getMessage()) for record in caplog.records]
    assert [line for line in lines if "WebSocket" in line] == [
        'CLIENT - "WebSocket /text?a=b" [accepted]',
        'CLIENT - "WebSocket /user/7" 403',
        'CLIENT - "WebSocket /user/7" 401',
    ]


# The command line ---------------------------------------------------------------------------


@pytest.fixture
async def command() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run the FastAPI application by uvicorn's command; give the process and its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "--port", "0", "--no-use-colors"),
        *("--ws", "ws6455.uvicorn:WebSocketProtocol"),
        "tests.uvicorn.fastapi_application:app",
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            while b"Uvicorn running on" not in (line := await process.stderr.readline()):
                assert line, "uvicorn has ended"
        port = re.search(rb"http://127.0.0.1:(\d+)", line)
        assert port is not None
        yield process, f"ws://127.0.0.1:{int(port[1])}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_the_command_line(command: tuple[asyncio.subprocess.Process, str]) -> None:
    process, uri = command
    async with (
        ws6455.connect(f"{uri}/text") as ours,
        websockets.connect(f"{uri}/text") as theirs,
    ):
        for client in (ours, theirs):
            await client.send("hello")
            assert await client.recv() == "HELLO"
        process.terminate()
        for client in (ours, theirs):
            assert await closing_of(client) == (1012, "")
    assert process.stderr is not None
    async with asyncio.timeout(10):
        log = (await process.stderr.read()).decode()
        await process.wait()
    assert "Application shutdown complete." in log
    assert "Traceback" not in log
