"""Tests of ``bench``: its figures, and the report of wrong echoes and lost connections."""

import contextlib
import re
import signal

import pytest
import websockets

from tests.cli.conftest import Start, serving
from ws6455 import ConnectionClosed, ServerConnection

ROW = re.compile(r"(.+?)  +([\d,.]+)(?: ms)?")


def rows_of(out: bytes) -> dict[str, float]:
    """Parse the table: return the figure of each row."""
    matches = map(ROW.fullmatch, out.decode().splitlines()[1:])
    return {match[1]: float(match[2].replace(",", "")) for match in matches if match}


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--text", "--size", "5000", "--connections", "3"),
        ("--size", "3", "--in-flight", "40", "--connections", "2"),
        ("--size", "0"),
        # More bytes in flight than either side buffers.
        ("--size", "1000000", "--in-flight", "40"),
    ],
)
async def test_an_echo_server_is_measured(start: Start, flags: tuple[str, ...]) -> None:
    kinds = set()
    count = 0

    async def echo(connection: ServerConnection) -> None:
        nonlocal count
        async for message in connection:
            kinds.add(type(message))
            count += 1
            await connection.send(message)

    async with serving(echo) as uri:
        command = await start("bench", uri, "--seconds", "0.5", *flags)
        status, out, err = await command.rest()
    assert (status, err) == (0, "")
    rows = rows_of(out)
    assert rows["echoes compared"] == count > 0
    assert rows["wrong echoes"] == rows["connections lost or late"] == 0
    assert rows["messages/s"] > 0
    assert 0 < rows["latency, median"] <= rows["latency, 99th percentile"]
    assert kinds == {str if "--text" in flags else bytes}


async def test_the_real_websockets(start: Start) -> None:
    async def echo(connection: websockets.ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with websockets.serve(echo, "127.0.0.1", 0) as server:
        uri = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        command = await start("bench", uri, "--seconds", "0.3", "--in-flight", "4")
        status, out, err = await command.rest()
    assert (status, err) == (0, "")
    title = rf"{uri}: 64 bytes of Binary, 1 x 4 in flight, \d\.\d s"
    assert re.fullmatch(title, out.decode().partition("\n")[0])
    assert rows_of(out)["echoes compared"] > 0


async def test_a_wrong_echo_is_told(start: Start) -> None:
    async def exchange(connection: ServerConnection) -> None:
        # The echoes are in the wrong order.
        while True:
            first, second = await connection.recv(), await connection.recv()
            await connection.send(second)
            await connection.send(first)

    async with serving(exchange) as uri:
        command = await start("bench", uri, "--seconds", "0.5", "--in-flight", "2")
        status, out, _ = await command.rest()
    assert status == 1
    assert rows_of(out)["wrong echoes"] == 1


async def test_a_lost_connection_is_told(start: Start) -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.send(await connection.recv())
        await connection.close(1013, "\x1b[2Jbusy")

    async with serving(leave) as uri:
        command = await start("bench", uri, "--seconds", "0.5", "--connections", "2")
        status, out, err = await command.rest()
    assert status == 1
    assert rows_of(out)["connections lost or late"] == 2
    assert err.count("\n") == 1
    assert err.startswith("ws6455 bench: received 1013 (try again later) \ufffd[2Jbusy")


async def test_without_an_echo_there_is_no_latency(start: Start) -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.recv()

    async with serving(leave) as uri:
        status, out, err = await (await start("bench", uri)).rest()
    assert (status, err.count("\n")) == (1, 1)
    assert re.search(r"^latency, median +-$", out.decode(), re.MULTILINE)


async def test_ctrl_c_ends_it(start: Start) -> None:
    codes: list[int | None] = []
    signalled = False

    async def echo(connection: ServerConnection) -> None:
        nonlocal signalled
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                await connection.send(message)
                if not signalled:
                    signalled = True
                    command.process.send_signal(signal.SIGINT)
        await connection.wait_closed()
        codes.append(connection.close_code)

    async with serving(echo) as uri:
        command = await start("bench", uri, "--seconds", "60")
        assert await command.rest() == (130, b"", "")
    assert codes == [1000]
