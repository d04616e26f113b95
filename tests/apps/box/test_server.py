"""The game's server: resuming, floods of moves, slow clients, and wrong messages."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import websockets

from tests.apps.box.conftest import CuttableLink, ServeGame, receive, until

TOKEN = "0123456789abcdefABCDEF_-"
RIGHT = '{"move": {"x": 5, "y": 0}}'

Cuttable = Callable[[str], Awaitable[CuttableLink]]


async def test_a_lost_player_comes_back_to_colour_and_place(
    serve_game: ServeGame, cuttable: Cuttable
) -> None:
    _, url = await serve_game()
    link = await cuttable(url)
    async with websockets.connect(url) as watcher:
        await receive(watcher)
        await receive(watcher)
        async with websockets.connect(f"{link.url}/?resume={TOKEN}") as lost:
            assert await receive(lost) == {"your_color": "blue"}
            await receive(lost)
            await lost.send(RIGHT)
            moved = await receive(lost)
            for _ in range(2):
                seen = await receive(watcher)
            assert seen == moved
            link.cut()
            # A player who is away is not shown ...
            assert list((await receive(watcher))["positions"]) == ["1"]
        # ... but the colour stays reserved.
        async with websockets.connect(url) as other:
            assert await receive(other) == {"your_color": "red"}
        async with websockets.connect(f"{url}/?resume={TOKEN}") as back:
            assert await receive(back) == {"your_color": "blue"}
            assert (await receive(back))["positions"] == moved["positions"]


async def test_after_the_grace_colour_and_place_are_gone(
    serve_game: ServeGame, cuttable: Cuttable
) -> None:
    game, url = await serve_game(grace=0.05)
    link = await cuttable(url)
    async with websockets.connect(f"{link.url}/?resume={TOKEN}") as lost:
        await receive(lost)
        link.cut()
        await until(lambda: not game.world.players)
    async with websockets.connect(url) as other:
        assert await receive(other) == {"your_color": "green"}
        async with websockets.connect(f"{url}/?resume={TOKEN}") as late:
            assert await receive(late) == {"your_color": "blue"}


async def test_who_comes_back_in_time_is_not_put_out_later(
    serve_game: ServeGame, cuttable: Cuttable
) -> None:
    game, url = await serve_game(grace=0.1)
    link = await cuttable(url)
    async with websockets.connect(f"{link.url}/?resume={TOKEN}") as lost:
        await receive(lost)
        link.cut()
        await until(lambda: game.world.players["1"].away)
    async with websockets.connect(f"{url}/?resume={TOKEN}") as back:
        await receive(back)
        await receive(back)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await back.recv()
        assert list(game.world.players) == ["1"]


@pytest.mark.parametrize("query", ["", f"/?resume={TOKEN}"])
async def test_who_says_good_bye_has_left(serve_game: ServeGame, query: str) -> None:
    game, url = await serve_game()
    async with websockets.connect(url + query) as client:
        await receive(client)
    await until(lambda: not game.world.players)


async def test_who_has_no_token_has_left_with_the_link(
    serve_game: ServeGame, cuttable: Cuttable
) -> None:
    game, url = await serve_game()
    link = await cuttable(url)
    async with websockets.connect(link.url) as client:
        await receive(client)
        link.cut()
        await until(lambda: not game.world.players)


async def test_a_newer_connection_takes_over(serve_game: ServeGame) -> None:
    game, url = await serve_game()
    async with websockets.connect(f"{url}/?resume={TOKEN}") as old:
        assert await receive(old) == {"your_color": "green"}
        await receive(old)
        async with websockets.connect(f"{url}/?resume={TOKEN}") as new:
            assert await receive(new) == {"your_color": "green"}
            await receive(new)
            with pytest.raises(websockets.ConnectionClosedError):
                await old.recv()
            assert old.close_code == 4001
            await new.send(RIGHT)
            assert (await receive(new))["positions"]["1"]["x"] == 215
            assert list(game.world.players) == ["1"]


@pytest.mark.parametrize("token", ["", "short", "x" * 65, "%20" * 30, "é" * 22])
async def test_a_token_that_can_be_guessed_or_is_none_is_refused(
    serve_game: ServeGame, token: str
) -> None:
    game, url = await serve_game()
    async with websockets.connect(f"{url}/?resume={token}") as client:
        with pytest.raises(websockets.ConnectionClosedError):
            await client.recv()
        assert client.close_code == 1008
        assert "22 to 64 characters" in str(client.close_reason)
    assert not game.world.players


async def test_any_path_is_a_way_in(serve_game: ServeGame) -> None:
    _, url = await serve_game()
    async with websockets.connect(f"{url}//[x?name=&resume={TOKEN}&name=Bob") as client:
        assert await receive(client) == {"your_color": "green"}


async def test_a_flood_is_not_faster_than_a_held_key(serve_game: ServeGame) -> None:
    _, url = await serve_game()
    loop = asyncio.get_running_loop()

    async def flood(client: websockets.ClientConnection) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await client.send('{"move": {"x": 800, "y": 800}}')
                await asyncio.sleep(0)

    async with websockets.connect(url) as client:
        started = loop.time()
        await receive(client)
        start = (await receive(client))["positions"]["1"]
        flooding = asyncio.create_task(flood(client))
        while loop.time() < started + 0.5:
            now = (await receive(client))["positions"]["1"]
        elapsed = loop.time() - started
        flooding.cancel()
    for axis in "xy":
        assert 0 < now[axis] - start[axis] <= 300 * elapsed + 5


async def test_a_slow_client_skips_snapshots_and_delays_nobody(serve_game: ServeGame) -> None:
    # With small kernel buffers the server soon has to wait for the slow client.
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    game, url = await serve_game(sock=listener)
    loop = asyncio.get_running_loop()
    for _ in range(60):
        game.world.join()
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(listener.getsockname())
    narrow.setblocking(False)
    unread: dict[str, Any] = {"max_queue": 1, "compression": None, "close_timeout": 0.1}
    async with (
        websockets.connect(url, sock=narrow, **unread) as slow,
        websockets.connect(url, max_queue=1000) as quick,
    ):
        color = (await receive(quick))["your_color"]
        players = (await receive(quick))["positions"].values()
        [x] = [player["x"] for player in players if player["color"] == color]
        # Move away from the nearer border, so that all 70 positions differ.
        move = f'{{"move": {{"x": {5 if x < 370 else -5}, "y": 0}}}}'
        slowest = 0.0
        for _ in range(70):
            sent = loop.time()
            await quick.send(move)
            last = await receive(quick)
            slowest = max(slowest, loop.time() - sent)
        assert slowest < 0.25
        received = 0
        while await receive(slow) != last:
            received += 1
        assert received < 40


async def test_a_player_whose_moves_come_in_bursts_loses_none(serve_game: ServeGame) -> None:
    _, url = await serve_game()
    async with websockets.connect(url) as client:
        await receive(client)
        x = (await receive(client))["positions"]["1"]["x"]
        for _ in range(4):
            await asyncio.sleep(0.1)
            for _ in range(6):
                await client.send(RIGHT)
        while x < 210 + 4 * 6 * 5:
            x = (await receive(client))["positions"]["1"]["x"]
