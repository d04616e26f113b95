"""apps.terminal: the exit of a terminal client, for every behaviour of the server."""

import asyncio
import signal
import socket

import pytest
import websockets

from apps.terminal import printable
from tests.apps.conftest import StartApp

CLIENTS = [("greeter", "--name", "Alice"), ("greeter", "--name", "Alice", "--trace"),
           ("buzzer",), ("clock",)]  # fmt: skip


@pytest.mark.parametrize("client", CLIENTS)
async def test_unreachable_is_one_line_and_status_1(
    start_app: StartApp, client: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"ws://localhost:{closed.getsockname()[1]}"
    app, *flags = client
    started = await start_app(app, "client", url, *flags)
    assert await started.rest() == ("", f"Cannot reach {url}: connection refused\n")
    assert started.process.returncode == 1


@pytest.mark.parametrize("flags", [(), ("--trace",)])
@pytest.mark.parametrize("url", ["localhost:8765", "http://localhost", "ws://", "ws://localhost:x"])
async def test_no_address_is_one_line_and_status_2(
    start_app: StartApp, url: str, flags: tuple[str, ...]
) -> None:
    client = await start_app("greeter", "client", url, *flags)
    assert await client.rest() == ("", f"{url!r} is not an address such as ws://localhost:8765\n")
    assert client.process.returncode == 2


async def test_a_refusal_is_one_line_without_the_token(start_app: StartApp) -> None:
    server = await start_app("clock", "server", "--port", "0", "--token", "right")
    url = await server.started()
    for arguments, shown in (
        ((url,), url),
        ((url, "--token", "wrong"), url),
        ((f"{url}/?token=wrong",), f"{url}/?token=***"),
    ):
        client = await start_app("clock", "client", *arguments)
        assert await client.rest() == ("", f"{shown} refused: 401 Unauthorized\n")
        assert client.process.returncode == 1
    for arguments in ((url, "--token", "right"), (f"{url}/?token=right",)):
        client = await start_app("clock", "client", *arguments)
        out, err = await client.rest("num_clients\n")
        assert "num_clients: 1" in out.splitlines()
        assert (client.process.returncode, err) == (0, "")


async def test_a_server_that_speaks_no_http_is_one_line_and_status_1(start_app: StartApp) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for flags in ((), ("--trace",)):
            client = await start_app("greeter", "client", url, "--name", "Alice", *flags)
            _, err = await client.rest()
            assert err.startswith(f"Cannot reach {url}: ")
            assert err.count("\n") == 1
            assert client.process.returncode == 1


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_server_that_goes_away_is_one_line_and_status_1(
    start_app: StartApp, client: tuple[str, ...]
) -> None:
    async def leave(connection: websockets.ServerConnection) -> None:
        await connection.close(1001, "over")

    app, *flags = client
    async with websockets.serve(leave, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        started = await start_app(app, "client", url, *flags)
        async with asyncio.timeout(10):
            assert await started.process.wait() == 1
        _, err = await started.rest()
    assert err.startswith(f"{url} closed the connection: ")
    assert "1001 (going away) over" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_a_client_without_traceback(
    start_app: StartApp, number: signal.Signals
) -> None:
    server = await start_app("clock", "server", "--port", "0")
    client = await start_app("clock", "client", await server.started())
    assert (await client.line()).startswith("Welcome: ")
    status, _, err = await client.stop(number)
    assert (status, err) == (128 + number, "")


async def test_text_from_the_server_cannot_steer_the_terminal(start_app: StartApp) -> None:
    async def steer(connection: websockets.ServerConnection) -> None:
        async for _ in connection:
            await connection.send("Hello \x1b[2J\x1b]0;owned\x07\r\n!")

    async with websockets.serve(steer, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        for app in ("greeter", "buzzer"):
            client = await start_app(app, "client", url)
            out, _ = await client.rest("x\n")
            assert "Hello \ufffd[2J\ufffd]0;owned\ufffd\ufffd\ufffd!\n" in out
            assert "\x1b" not in out


def test_printable() -> None:
    assert printable("Zo\u00eb \u674e \U0001f600") == "Zo\u00eb \u674e \U0001f600"
    assert printable("a\x9bb\u202ec\td") == "a\ufffdb\ufffdc\ufffdd"
