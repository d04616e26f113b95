"""Interoperability with programs that existed before this game, in both directions.

They use only the two original messages, and ``import ws6455 as websockets``.
"""

import asyncio
import signal
import socket
from pathlib import Path

import pytest
import websockets

import ws6455
from apps.box.client import Link, player_query
from tests.apps.box.conftest import receive, until
from tests.apps.conftest import AppProcess, StartApp

FIRST_PROGRAMS = Path(__file__).parent / "first_programs"
MOVED = ("You are: green\nMoved by 50\n", "")


async def start_first(start_app: StartApp, program: str, *arguments: str) -> AppProcess:
    return await start_app("box", *arguments, launcher=(str(FIRST_PROGRAMS / program),))


@pytest.fixture
async def first_server(start_app: StartApp) -> str:
    """Start ``first_server.py`` and return its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = await start_first(start_app, "first_server.py", str(port))
    return await server.started()


async def test_first_client_and_first_server(start_app: StartApp, first_server: str) -> None:
    client = await start_first(start_app, "first_client.py", first_server)
    assert await client.rest() == MOVED


async def test_first_client_and_our_server(start_app: StartApp) -> None:
    server = await start_app("box", "server", "--port", "0", "--web-port", "0")
    url = await server.started()
    client = await start_first(start_app, "first_client.py", url)
    assert await client.rest() == MOVED
    # The colour is free again for the next one.
    client = await start_first(start_app, "first_client.py", url)
    assert await client.rest() == MOVED


async def test_first_client_hears_that_our_server_ends(start_app: StartApp) -> None:
    server = await start_app("box", "server", "--port", "0", "--web-port", "0")
    url = await server.started()
    async with websockets.connect(url) as other:
        await receive(other)
        await receive(other)
        client = await start_first(start_app, "first_client.py", url)
        await receive(other)
        assert (await server.stop(signal.SIGINT))[0] == 0
        out, err = await client.rest()
    assert "The server is gone: received 1001" in out
    assert err == ""


async def test_our_client_and_first_server(first_server: str) -> None:
    async def connect() -> ws6455.ClientConnection:
        return await ws6455.connect(f"{first_server}/?{player_query('Ada')}")

    link = Link(connect)
    playing = asyncio.create_task(link.run(await connect()))
    async with websockets.connect(first_server) as other:
        await until(lambda: len(link.boxes) == 2)
        assert link.color == "green"
        link.move(5, -5)
        async with asyncio.timeout(5):
            while {"x": 405, "y": 295, "color": "green"} not in list(
                (await receive(other)).get("positions", {}).values()
            ):
                pass
        await until(lambda: any((box.x, box.y) == (405, 295) for box in link.boxes.values()))
    playing.cancel()
    await asyncio.wait((playing,))


async def test_first_client_in_one_world_with_ours(start_app: StartApp) -> None:
    """A client with a name and a token changes nothing for a client that has neither."""
    server = await start_app("box", "server", "--port", "0", "--web-port", "0")
    url = await server.started()

    async def connect() -> ws6455.ClientConnection:
        return await ws6455.connect(f"{url}/?{player_query('Ada')}")

    link = Link(connect)
    playing = asyncio.create_task(link.run(await connect()))
    await until(lambda: link.boxes)
    client = await start_first(start_app, "first_client.py", url)
    assert await client.line() == "You are: blue"
    await until(lambda: len(link.boxes) == 2)
    assert await client.rest() == ("Moved by 50\n", "")
    await until(lambda: len(link.boxes) == 1)
    playing.cancel()
    await asyncio.wait((playing,))


def test_the_programs_differ_from_those_for_websockets_in_the_import_alone() -> None:
    for program in FIRST_PROGRAMS.glob("first_*.py"):
        lines = program.read_text().splitlines()
        assert [line for line in lines if "ws6455" in line] == ["import ws6455 as websockets"]
