"""A user's program, for type checkers alone: every name of the quick start and the guide."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from typing import assert_type

import ws6455
import ws6455.sync.client
import ws6455.sync.server

logger = logging.getLogger("program")


async def echo(websocket: ws6455.ServerConnection) -> None:
    assert_type(websocket.client_address, str)
    assert_type(websocket.subprotocol, str | None)
    async for message in websocket:
        assert_type(message, str | bytes)
        await websocket.send(message, compress=False)


async def page(
    connection: ws6455.ServerConnection, request: ws6455.Request
) -> ws6455.Response | None:
    if request.path == "/healthz":
        return connection.respond(200, "OK\n")
    if "Upgrade" not in request.headers:
        headers = ws6455.Headers({"Content-Type": "text/html"})
        return ws6455.Response(200, "OK", headers, b"<!doctype html>")
    return None


def choose(connection: ws6455.ServerConnection, offered: Sequence[str]) -> str | None:
    return offered[0] if offered else None


async def parts() -> AsyncIterator[str]:
    yield "a"
    yield "b"


async def serve() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    async with ws6455.serve(
        echo,
        "localhost",
        8765,
        ssl=context,
        origins=["https://example.com", None],
        subprotocols=["chat"],
        select_subprotocol=choose,
        process_request=page,
        trusted_proxies=["127.0.0.1"],
        max_size=(1 << 20, 1 << 16),
        logger=logger,
    ) as server:
        assert_type(server.connections, set[ws6455.ServerConnection])
        ws6455.broadcast(server.connections, "hello", slow="drop")
        server.close(code=1012, reason="restart")
        await server.serve_forever()


async def guarded() -> None:
    server = await ws6455.serve(
        echo, "localhost", 8765, process_request=ws6455.basic_auth("realm", ("user", "password"))
    )
    await server.wait_closed()


async def connect() -> None:
    async with ws6455.connect(
        "wss://localhost:8765",
        additional_headers={"Authorization": "Bearer x"},
        subprotocols=["chat"],
        proxy=None,
    ) as websocket:
        assert_type(websocket, ws6455.ClientConnection)
        await websocket.send("text")
        await websocket.send(b"binary")
        await websocket.send(bytearray(b"binary"), text=True)
        await websocket.send(["a", "b"])
        await websocket.send(parts())
        assert_type(await websocket.recv(), str | bytes)
        assert_type(await websocket.recv(decode=True), str)
        assert_type(await websocket.recv(decode=False), bytes)
        async for fragment in websocket.recv_streaming():
            assert_type(fragment, str | bytes)
        pong = await websocket.ping()
        assert_type(await pong, float)
        assert_type(websocket.latency, float)
        await websocket.close(1000, "done")
        assert_type(websocket.close_code, int | None)
        assert_type(websocket.close_reason, str | None)


async def follow() -> None:
    async for websocket in ws6455.connect("ws://localhost:8765"):
        try:
            async for message in websocket:
                assert_type(message, str | bytes)
        except ws6455.ConnectionClosed as exc:
            assert_type(exc.rcvd, ws6455.exceptions.CloseLike | None)
            continue
        except ws6455.InvalidStatus as exc:
            print(exc.response.status_code, exc.response.headers["Location"])


def without_io(data: bytes) -> None:
    protocol = ws6455.ServerProtocol()
    protocol.receive_data(data)
    for event in protocol.events_received():
        if isinstance(event, ws6455.Request):
            protocol.send_response(protocol.accept(event))
        elif isinstance(event, ws6455.Frame):
            assert_type(event.opcode, ws6455.Opcode)
            protocol.send_text(event.data)
    for output in protocol.data_to_send():
        assert_type(output, bytes)


def echo_in_a_thread(websocket: ws6455.sync.server.ServerConnection) -> None:
    for message in websocket:
        assert_type(message, str | bytes)
        websocket.send(message)


def with_threads() -> None:
    with ws6455.sync.server.serve(echo_in_a_thread, "localhost", 8765) as server:
        server.serve_forever()
    with ws6455.sync.client.connect("ws://localhost:8765") as websocket:
        websocket.send("text")
        assert_type(websocket.recv(timeout=1), str | bytes)
        assert_type(websocket.recv(decode=True), str)
        assert_type(websocket.recv(decode=False), bytes)


asyncio.run(connect())
