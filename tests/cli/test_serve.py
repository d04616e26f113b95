"""Tests of ``serve``: addresses, handlers, options of the handshake, signals."""

import asyncio
import contextlib
import signal
import ssl
from pathlib import Path

import pytest
import websockets

import ws6455
from tests.cli.conftest import Start

ANY_PORT = ("serve", "--host", "127.0.0.1", "--port", "0")


@pytest.mark.parametrize("flags", [(), ("--echo",), ("--uvloop",), ("--uvloop", "--trace")])
async def test_an_echo_server(start: Start, flags: tuple[str, ...]) -> None:
    server = await start(*ANY_PORT, *flags)
    uri = await server.address()
    async with ws6455.connect(uri) as ours, websockets.connect(uri) as theirs:
        for message in ("text", b"\x00binary", "x" * 100_000):
            await ours.send(message)
            await theirs.send(message)
            assert await ours.recv() == message
            assert await theirs.recv() == message


async def test_a_broadcasting_server(start: Start) -> None:
    server = await start(*ANY_PORT, "--broadcast")
    uri = await server.address()
    async with ws6455.connect(uri) as one, ws6455.connect(uri) as two:
        await one.send("from one")
        assert await one.recv() == await two.recv() == "from one"
        await two.send(b"from two")
        assert await one.recv() == await two.recv() == b"from two"


@pytest.mark.parametrize("path", ["shout", "Shouter.loudly"])
async def test_a_handler_of_the_users(start: Start, tmp_path: Path, path: str) -> None:
    (tmp_path / "my_app.py").write_text(
        "async def shout(websocket):\n"
        "    async for message in websocket:\n"
        "        await websocket.send(message.upper())\n"
        "class Shouter:\n"
        "    loudly = staticmethod(shout)\n"
    )
    server = await start(*ANY_PORT, "--app", f"my_app:{path}")
    async with ws6455.connect(await server.address()) as client:
        await client.send("hello")
        assert await client.recv() == "HELLO"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise ValueError('mine')", "ValueError: mine"),
        ("open('/nowhere')", "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere'"),
    ],
)
async def test_an_error_within_the_users_module_is_shown_whole(
    start: Start, tmp_path: Path, line: str, error: str
) -> None:
    (tmp_path / "my_app.py").write_text(f"{line}\n")
    server = await start(*ANY_PORT, "--app", "my_app:x")
    status, _, err = await server.rest()
    assert status == 1
    assert "my_app.py" in err
    assert err.endswith(f"{error}\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("flags", [(), ("--uvloop",)])
async def test_one_signal_ends_it_and_closes_with_1001(
    start: Start, number: signal.Signals, flags: tuple[str, ...]
) -> None:
    server = await start(*ANY_PORT, *flags)
    uri = await server.address()
    async with ws6455.connect(uri) as ours, websockets.connect(uri) as theirs:
        await asyncio.gather(ours.ping(), theirs.ping())
        assert await server.stop(number) == (128 + number, "")
        await asyncio.gather(ours.wait_closed(), theirs.wait_closed())
        assert (ours.close_code, theirs.close_code) == (1001, 1001)


async def test_a_signal_that_is_ignored_from_the_start_stays_ignored(start: Start) -> None:
    no_hang_up = (
        "import signal, sys\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from ws6455.__main__ import main\n"
        "sys.exit(main())\n"
    )
    server = await start(*ANY_PORT, launcher=("-c", no_hang_up))
    uri = await server.address()
    server.process.send_signal(signal.SIGHUP)
    async with ws6455.connect(uri) as client:
        await client.ping()
    assert await server.stop(signal.SIGTERM) == (128 + signal.SIGTERM, "")


async def test_a_reader_of_the_trace_that_goes_ends_it(start: Start) -> None:
    server = await start(*ANY_PORT, "--trace")
    uri = await server.address()
    server.stop_reading(2)
    with contextlib.suppress(ws6455.WebSocketException, OSError):
        await ws6455.connect(uri)
    async with asyncio.timeout(20):
        assert await server.process.wait() == 141


async def test_a_unix_socket(start: Start, tmp_path: Path) -> None:
    server = await start("serve", "--unix", "socket")
    assert await server.line() == "listening on the Unix socket socket (ws)"
    async with ws6455.unix_connect(tmp_path / "socket") as client:
        await client.send("hello")
        assert await client.recv() == "hello"
    assert (await server.stop(signal.SIGINT))[0] == 130
    assert not (tmp_path / "socket").exists()


async def test_tls(start: Start, certificate: str) -> None:
    server = await start(*ANY_PORT, "--certificate", certificate)
    uri = await server.address()
    assert uri.startswith("wss://")
    context = ssl.create_default_context(cafile=certificate)
    async with ws6455.connect(uri, ssl=context, server_hostname="localhost") as client:
        await client.send("hello")
        assert await client.recv() == "hello"


async def test_whom_it_takes_and_what_it_agrees_on(start: Start) -> None:
    flags = ("--origin", "https://a.example", "--origin", "https://b.example", "--max-size", "10")
    server = await start(*ANY_PORT, *flags, "--subprotocol", "chat", "--no-compression")
    uri = await server.address()
    with pytest.raises(ws6455.InvalidStatus, match="403"):
        await ws6455.connect(uri, origin="https://c.example")
    async with ws6455.connect(
        uri, origin="https://b.example", subprotocols=["other", "chat"]
    ) as client:
        assert client.subprotocol == "chat"
        assert client.protocol.extensions == []
        await client.send("x" * 11)
        with pytest.raises(ws6455.ConnectionClosedError, match="1009"):
            await client.recv()


async def test_its_log_on_request(start: Start) -> None:
    server = await start(*ANY_PORT, "--verbose")
    async with ws6455.connect(await server.address()):
        pass
    assert (await server.error_line()).startswith("server listening on ")
    assert await server.error_line() == "connection open"
    assert await server.error_line() == "connection closed"
