"""TLS on a connected transport: bytes that arrive too early, and handshakes that do not end."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator

import pytest
import uvloop

import ws6455
from tests.aio.conftest import until
from ws6455.testing import opening_request

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


async def echo(connection: ws6455.ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@contextlib.asynccontextmanager
async def serving(context: ssl.SSLContext) -> AsyncIterator[tuple[ws6455.Server, int]]:
    async with ws6455.serve(echo, "127.0.0.1", 0, ssl=context) as server:
        yield server, next(iter(server.sockets)).getsockname()[1]


async def exchange(contexts: Contexts) -> list[str | bytes]:
    answers = []
    async with serving(contexts[0]) as (_, port):
        for number in range(20):
            uri = f"wss://localhost:{port}"
            async with ws6455.connect(uri, ssl=contexts[1], proxy=None) as connection:
                await connection.send(str(number))
                answers.append(await connection.recv())
    return answers


@pytest.mark.parametrize("loop_factory", [None, uvloop.new_event_loop])
def test_connections_one_after_another(contexts: Contexts, loop_factory: None) -> None:
    # uvloop reads the first bytes of an accepted socket even if reading is paused.
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(exchange(contexts)) == [str(number) for number in range(20)]


async def send_at_once(contexts: Contexts) -> bytes:
    async with serving(contexts[0]) as (_, port):

        def run() -> bytes:
            with socket.create_connection(("127.0.0.1", port)) as plain:
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                tls = contexts[1].wrap_bio(incoming, outgoing, server_hostname="localhost")
                while True:
                    try:
                        tls.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        plain.sendall(outgoing.read())
                        incoming.write(plain.recv(1 << 16))
                tls.write(opening_request())
                # The end of the handshake and the request in one piece.
                plain.sendall(outgoing.read())
                while True:
                    with contextlib.suppress(ssl.SSLWantReadError):
                        return tls.read(17)
                    incoming.write(plain.recv(1 << 16))

        return await asyncio.to_thread(run)


@pytest.mark.parametrize("loop_factory", [None, uvloop.new_event_loop])
def test_a_request_comes_with_the_end_of_the_handshake(
    contexts: Contexts, loop_factory: None
) -> None:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(send_at_once(contexts)) == b"HTTP/1.1 101 Swit"


async def test_a_closing_server_ends_handshakes(contexts: Contexts) -> None:
    async with serving(contexts[0]) as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await until(lambda: bool(server._acceptors))
        server.close()
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        await server.wait_closed()
        assert not server._acceptors
        writer.close()


async def test_a_peer_without_tls_is_one_debug_line(
    contexts: Contexts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "ws6455")
    async with serving(contexts[0]) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        writer.close()
    lines = [r.message for r in caplog.records if "before the opening handshake" in r.message]
    assert len(lines) == 1
    assert all(record.levelname in ("DEBUG", "INFO") for record in caplog.records)


async def test_a_client_that_is_accepted_after_close_is_dropped(contexts: Contexts) -> None:
    # asyncio may have accepted it before, and connect it only then.
    async with serving(contexts[0]) as (server, _):
        server.close()
        ours, theirs = socket.socketpair()
        with theirs:
            options = {"ssl_handshake_timeout": 10}
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: server.new_tls_acceptor(contexts[0], options), ours
            )
            theirs.settimeout(5)
            assert await asyncio.to_thread(theirs.recv, 1) == b""
