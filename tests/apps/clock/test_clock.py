"""The clock: its broadcasts, its answers, and its terminal client."""

import asyncio
import re
import time
from datetime import UTC, datetime

import pytest
import websockets

from apps.clock.server import Clock
from tests.apps.conftest import StartApp, StartInTerminal, serving

TIME = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"
QUIET = ("--tick", "86400", "--heartbeat", "86400")


def seconds_of(text: str, pattern: str) -> float:
    """Return the time in `text`, which must match `pattern`, in seconds since 1970."""
    match = re.fullmatch(pattern, text)
    assert match, text
    return datetime.fromisoformat(match[1]).astimezone(UTC).timestamp()


async def received(client: websockets.ClientConnection) -> str:
    async with asyncio.timeout(5):
        message = await client.recv()
    assert isinstance(message, str)
    return message


async def test_welcome_then_ticks_on_the_boundaries(start_app: StartApp) -> None:
    arguments = ("--tick", "0.5", "--heartbeat", "86400")
    server = await start_app("clock", "server", "--port", "0", *arguments)
    url = await server.started()
    async with (
        websockets.connect(url, proxy=None) as one,
        websockets.connect(url, proxy=None) as two,
    ):
        for client in (one, two):
            welcome = seconds_of(await received(client), f"Welcome: {TIME}")
            assert abs(time.time() - welcome) < 2
        ticks = []
        for _ in range(5):
            ticks.append(seconds_of(await received(one), f"Time: {TIME}"))
            assert 0 <= time.time() - ticks[-1] < 0.5
        assert [round((tick - ticks[0]) * 1000) for tick in ticks] == [0, 500, 1000, 1500, 2000]
        assert all(round(tick * 1000) % 500 == 0 for tick in ticks)
        others = [seconds_of(await received(two), f"Time: {TIME}") for _ in range(5)]
        assert set(others[1:-1]) <= set(ticks)


async def test_connected_to_everybody(start_app: StartApp) -> None:
    arguments = ("--tick", "86400", "--heartbeat", "0.3")
    server = await start_app("clock", "server", "--port", "0", *arguments)
    url = await server.started()
    async with (
        websockets.connect(url, proxy=None) as one,
        websockets.connect(url, proxy=None) as two,
    ):
        for client in (one, two):
            assert (await received(client)).startswith("Welcome: ")
            assert [await received(client) for _ in range(2)] == ["Connected"] * 2


async def test_requests() -> None:
    async with serving(Clock().serve) as url, websockets.connect(url, proxy=None) as client:
        began = time.monotonic()
        await received(client)
        await client.send("server_time")
        now = seconds_of(await received(client), f"server_time: {TIME}")
        assert abs(time.time() - now) < 2
        await client.send("ping")
        assert await received(client) == "ping: pong"
        await client.send("num_clients")
        assert await received(client) == "num_clients: 1"
        async with websockets.connect(url, proxy=None) as other:
            await received(other)
            await other.send("client_time")
            assert re.fullmatch(r"client_time: 0\.\d{3} seconds", await received(other))
            await client.send(" num_clients\n")
            assert await received(client) == "num_clients: 2"
        await client.send("num_clients")
        assert await received(client) == "num_clients: 1"
        await asyncio.sleep(0.3)
        await client.send("client_time")
        reply = re.fullmatch(r"client_time: (\d+\.\d{3}) seconds", await received(client))
        assert reply
        assert 0.3 <= float(reply[1]) <= time.monotonic() - began + 0.1


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (
            "time",
            "Error: unknown request 'time'; known: server_time, client_time, num_clients, ping",
        ),
        ("", "Error: unknown request ''; known: server_time, client_time, num_clients, ping"),
        (
            "PING",
            "Error: unknown request 'PING'; known: server_time, client_time, num_clients, ping",
        ),
        (
            "x" * 4000,
            f"Error: unknown request {'x' * 32!r}; "
            "known: server_time, client_time, num_clients, ping",
        ),
        (b"ping", "Error: a request is text, this was binary"),
    ],
)
async def test_errors_name_what_was_wrong(request_: str | bytes, error: str) -> None:
    async with serving(Clock().serve) as url, websockets.connect(url, proxy=None) as client:
        await received(client)
        for _ in range(4):
            await client.send(request_)
            assert await received(client) == error
        await client.send("ping")
        assert await received(client) == "ping: pong"
        for _ in range(5):
            await client.send(request_)
            assert await received(client) == error
        with pytest.raises(websockets.ConnectionClosed):
            await received(client)
        assert client.close_code == 1008


async def test_defaults_of_port_and_intervals(start_app: StartApp) -> None:
    helped = await start_app("clock", "--help")
    out, _ = await helped.rest()
    text = " ".join(out.split())
    assert "(PORT, 8000)" in text
    assert "between two broadcasts of the time (3.0)" in text
    assert "between two broadcasts of Connected (60.0)" in text


@pytest.mark.parametrize("arguments", [("--tick", "0"), ("--heartbeat", "x"), ("--tick", "nan")])
async def test_wrong_intervals_are_status_2(
    start_app: StartApp, arguments: tuple[str, ...]
) -> None:
    server = await start_app("clock", "server", "--port", "0", *arguments)
    out, err = await server.rest()
    assert (out, server.process.returncode) == ("", 2)
    assert f"argument {arguments[0]}: {arguments[1]!r} is not a time in seconds" in err


async def test_piped_requests_end_with_their_replies(start_app: StartApp) -> None:
    server = await start_app("clock", "server", "--port", "0", "--tick", "0.05")
    client = await start_app("clock", "client", await server.started())
    out, err = await client.rest("num_clients\nping\nnonsense\n")
    lines = out.splitlines()
    assert lines[0].startswith("Welcome: ")
    replies = [line for line in lines[1:] if not line.startswith(("Time: ", "Connected"))]
    assert replies[:2] == ["num_clients: 1", "ping: pong"]
    assert replies[2].startswith("Error: unknown request 'nonsense'")
    assert (len(replies), client.process.returncode, err) == (3, 0, "")


async def test_without_input_the_client_shows_the_time(start_app: StartApp) -> None:
    server = await start_app("clock", "server", "--port", "0", "--tick", "0.05")
    client = await start_app("clock", "client", await server.started())
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert (await client.line()).startswith("Welcome: ")
    for _ in range(3):
        assert re.fullmatch(f"Time: {TIME}", await client.line())


async def test_alone_is_server_and_client(start_in_terminal: StartInTerminal) -> None:
    alone = start_in_terminal("clock", "--port", "0", *QUIET)
    shown = await asyncio.to_thread(alone.read_until, "Welcome: ")
    assert re.match(r"Server started on ws://localhost:\d+\r\nPage: http://", shown)
    alone.type("num_clients\n")
    await asyncio.to_thread(alone.read_until, "num_clients: 1\r\n")
    alone.process.terminate()
    assert await asyncio.to_thread(alone.rest) == ""
    assert alone.process.returncode == 0
