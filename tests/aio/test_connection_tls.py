"""TLS: an own authority, wrong names, deadlines, and closing over it."""

import asyncio
import logging
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from tests.aio.conftest import server_and_peer, until
from tests.conftest import port_of, uri_of
from tests.frames import text
from ws6455 import (
    ConnectionClosedError,
    ServerConnection,
    connect,
    serve,
    unix_connect,
    unix_serve,
)
from ws6455.testing import RawPeer, opening_request

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_wss_with_an_own_authority(contexts: Contexts, compression: str | None) -> None:
    server_context, client_context = contexts
    options: dict[str, Any] = {"max_size": None, "compression": compression}
    async with (
        serve(echo, "localhost", 0, ssl=server_context, **options) as server,
        connect(uri_of(server, "wss"), ssl=client_context, **options) as client,
    ):
        message = bytes(range(256)) * 20_000
        await client.send(message)
        assert await client.recv() == message
        addresses = client.local_address, client.remote_address
        await client.close(4000, "over TLS")
        assert (client.close_code, client.close_reason) == (4000, "over TLS")
        assert (client.local_address, client.remote_address) == addresses


async def test_the_server_closes_over_tls(contexts: Contexts) -> None:
    server_context, client_context = contexts
    started = time.monotonic()
    async with (
        serve(echo, "localhost", 0, ssl=server_context) as server,
        connect(uri_of(server, "wss"), ssl=client_context) as client,
    ):
        server.close()
        await client.wait_closed()
        assert client.close_code == 1001
        await server.wait_closed()
    assert time.monotonic() - started < 2


async def test_an_unknown_authority_and_a_wrong_name_fail(
    contexts: Contexts, caplog: pytest.LogCaptureFixture
) -> None:
    server_context, client_context = contexts
    caplog.set_level(logging.INFO)
    async with serve(echo, "localhost", 0, ssl=server_context) as server:
        caplog.clear()
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(uri_of(server, "wss"))
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await connect(
                "wss://other.example/",
                ssl=client_context,
                host="127.0.0.1",
                port=port_of(server),
            )
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await connect(
                uri_of(server, "wss"), ssl=client_context, server_hostname="other.example"
            )
        assert caplog.records == []


async def test_tls_over_a_unix_socket(contexts: Contexts, tmp_path: Path) -> None:
    server_context, client_context = contexts
    path = tmp_path / "socket"
    async with (
        unix_serve(echo, path, ssl=server_context),
        unix_connect(path, ssl=client_context) as client,
    ):
        assert client.protocol.uri.secure
        await client.send("x")
        assert await client.recv() == "x"


async def test_the_deadline_counts_the_tls_handshake(contexts: Contexts) -> None:
    server_context, client_context = contexts
    async with serve(echo, "localhost", 0, ssl=server_context, open_timeout=1) as server:
        started = time.monotonic()
        silent = await RawPeer.connect("127.0.0.1", port_of(server))
        assert await silent.bytes_to_end() == b""
        assert not silent.was_reset
        assert 0.9 < time.monotonic() - started < 2
        await silent.close()
        # More than half of the time is gone when TLS is there; the rest is for the request.
        started = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
        await asyncio.sleep(0.6)
        await writer.start_tls(client_context, server_hostname="localhost")
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        assert 0.9 < time.monotonic() - started < 1.5
        writer.close()


async def test_a_client_gives_up_on_a_server_silent_in_the_tls_handshake() -> None:
    accepted = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accepted.wait()
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    with pytest.raises(TimeoutError):
        await connect(f"wss://localhost:{port}/", open_timeout=0.1)
    accepted.set()
    listener.close()
    await listener.wait_closed()


async def test_plain_http_to_a_tls_port_is_quiet(
    contexts: Contexts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serve(echo, "localhost", 0, ssl=contexts[0]) as server:
        caplog.clear()
        peer = await RawPeer.connect("127.0.0.1", port_of(server))
        peer.send(opening_request())
        await peer.bytes_to_end()
        await peer.close()
        assert caplog.records == []


async def test_a_violation_and_the_end_over_tls_are_quiet(
    contexts: Contexts, caplog: pytest.LogCaptureFixture
) -> None:
    server_context, client_context = contexts
    caplog.set_level(logging.WARNING)
    received = []

    async def handler(connection: ServerConnection) -> None:
        received.append(await connection.recv())
        await until(lambda: connection.protocol.eof_received)
        with pytest.raises(ConnectionClosedError):
            await connection.recv()
        received.append("end")

    async with serve(handler, "localhost", 0, ssl=server_context) as server:
        peer = await RawPeer.connect("localhost", port_of(server), ssl=client_context)
        await peer.open()
        peer.send(text("1"), b"\x83\x80\x00\x00\x00\x00")
        await peer.close()
        await until(lambda: received == ["1", "end"])
    assert caplog.records == []


async def test_a_tls_hello_to_a_plain_port_is_refused() -> None:
    async with server_and_peer(compression=None) as (connection, peer):
        assert connection.server is not None
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await connect(uri_of(connection.server, "wss"))
        await connection.send("still there")
        frame = await peer.valid_frame()
        assert frame == text("still there")
