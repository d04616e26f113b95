"""The desktop client against a server in the same process, on SDL's dummy display."""

import argparse
import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs

import pygame
import pytest

import ws6455
from apps.box import desktop
from apps.box.client import Link, player_query
from apps.box.colors import NAMED
from apps.box.picture import UNKNOWN_COLOR
from apps.box.window import Window
from apps.box.world import BORDER, BOX, Player
from tests.apps.box.conftest import CuttableLink, ServeGame, until
from tests.apps.conftest import StartApp

Cuttable = Callable[[str], Awaitable[CuttableLink]]
Play = Callable[[str], Awaitable[Link]]


@pytest.fixture
async def play() -> AsyncIterator[Play]:
    """Return a coroutine function ``play(url)`` -> a `Link` in the game, shown in a window."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(url: str) -> Link:
            url = f"{url}/?{player_query('Ada')}"

            async def reopen() -> ws6455.ClientConnection:
                return await ws6455.connect(url, ping_interval=0.05)

            link = Link(reopen)
            window = Window(link)
            tasks = [
                asyncio.create_task(link.run(await reopen())),
                asyncio.create_task(window.run()),
            ]

            async def end() -> None:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

            stack.push_async_callback(end)
            await until(lambda: link.boxes)
            return link

        yield start


def press(key: int) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))


def release(key: int) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key))


def shown_at(x: int, y: int) -> str:
    """Return the colour of a pixel of the window as ``#rrggbb``."""
    red, green, blue, _ = pygame.display.get_surface().get_at((x, y))
    return f"#{red:02x}{green:02x}{blue:02x}"


@pytest.mark.parametrize(
    ("key", "dx", "dy"),
    [
        (pygame.K_RIGHT, 5, 0),
        (pygame.K_LEFT, -5, 0),
        (pygame.K_UP, 0, -5),
        (pygame.K_DOWN, 0, 5),
        (pygame.K_d, 5, 0),
        (pygame.K_a, -5, 0),
        (pygame.K_w, 0, -5),
        (pygame.K_s, 0, 5),
    ],
)
async def test_a_tap_within_one_frame_moves_one_step(
    serve_game: ServeGame, play: Play, key: int, dx: int, dy: int
) -> None:
    game, url = await serve_game()
    await play(url)
    player = game.world.players["1"]
    start = (player.x, player.y)
    press(key)
    release(key)
    await until(lambda: (player.x, player.y) == (start[0] + dx, start[1] + dy))


async def test_a_held_key_moves_until_it_is_released(serve_game: ServeGame, play: Play) -> None:
    game, url = await serve_game()
    await play(url)
    player = game.world.players["1"]
    start = player.y
    press(pygame.K_DOWN)
    press(pygame.K_RIGHT)
    await until(lambda: player.y >= start + 100)
    release(pygame.K_RIGHT)
    release(pygame.K_DOWN)
    await assert_stands_still(player)
    assert player.x == pytest.approx(player.y - start + 210, abs=5)


async def test_keys_are_released_when_the_window_loses_the_focus(
    serve_game: ServeGame, play: Play
) -> None:
    game, url = await serve_game()
    await play(url)
    player = game.world.players["1"]
    start = player.x
    press(pygame.K_RIGHT)
    await until(lambda: player.x > start)
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
    await assert_stands_still(player)


async def assert_stands_still(player: Player) -> None:
    """Check that the player stops within a second: no movement during ten steps."""
    async with asyncio.timeout(1):
        while True:
            before = (player.x, player.y)
            await asyncio.sleep(10 / 60)
            if before == (player.x, player.y):
                return


async def test_the_window_shows_the_game(serve_game: ServeGame, play: Play) -> None:
    game, url = await serve_game()
    link = await play(url)
    other = game.world.join("Bob")
    press(pygame.K_RIGHT)
    release(pygame.K_RIGHT)
    await until(lambda: len(link.boxes) == 2)
    own = game.world.players["1"]
    middle = BORDER + BOX // 2
    await until(lambda: shown_at(other.x + middle, other.y + middle) == NAMED["blue"])
    assert shown_at(own.x + middle, own.y + middle) == NAMED["green"]
    # Only the player's own box has an outline.
    assert shown_at(own.x + BORDER + 1, own.y + middle) == "#ffffff"
    assert shown_at(other.x + BORDER + 1, other.y + middle) == NAMED["blue"]
    await until(lambda: link.latency is not None)
    assert link.color == "green"
    await until(lambda: link.names == {"1": "Ada", "2": "Bob"})


async def test_a_lost_link_shows_a_banner_and_comes_back_to_the_same_box(
    serve_game: ServeGame, cuttable: Cuttable, play: Play
) -> None:
    game, url = await serve_game()
    relay = await cuttable(url)
    link = await play(relay.url)
    press(pygame.K_RIGHT)
    await until(lambda: game.world.players["1"].x > 300)
    release(pygame.K_RIGHT)
    await assert_stands_still(game.world.players["1"])
    boxes = link.boxes
    relay.cut()
    await until(lambda: link.trouble == "Reconnecting…")
    assert link.latency is None
    await until(lambda: shown_at(400, 280) == "#f2b544")
    await until(lambda: link.trouble is None)
    assert link.color == "green"
    await until(lambda: link.boxes == boxes)
    await until(lambda: shown_at(400, 280) != "#f2b544")


async def test_the_frames_do_not_hold_up_the_loop(serve_game: ServeGame, play: Play) -> None:
    _, url = await serve_game()
    await play(url)
    loop = asyncio.get_running_loop()
    gaps = []
    end = loop.time() + 0.5
    before = loop.time()
    while before < end:
        await asyncio.sleep(0.001)
        gaps.append(loop.time() - before)
        before = loop.time()
    # If frames blocked the loop while they wait, half of the gaps would exceed 16 ms.
    assert sorted(gaps)[len(gaps) // 2] < 0.008


async def test_no_text_or_colour_of_a_server_breaks_the_window(play: Play) -> None:
    async def serve(connection: ws6455.ServerConnection) -> None:
        player = {"x": 100, "y": 100, "color": "no colour"}
        name = "\ud800\0\u202e" + "x" * 100_000
        await connection.send(json.dumps({"your_color": "a\0b" + "x" * 100_000}))
        await connection.send(json.dumps({"names": {"1": name}}))
        await connection.send(json.dumps({"positions": {"1": player}}))
        await connection.wait_closed()

    async with ws6455.serve(serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        await play(f"ws://127.0.0.1:{port}")
        await until(lambda: shown_at(130, 130) == UNKNOWN_COLOR)


async def test_a_full_world_is_told_in_the_banner(serve_game: ServeGame) -> None:
    game, url = await serve_game()
    for _ in range(64):
        game.world.join()

    async def reopen() -> ws6455.ClientConnection:
        return await ws6455.connect(url)

    link = Link(reopen)
    playing = asyncio.create_task(link.run(await reopen()))
    await until(lambda: link.trouble == "The world is full: 64 players. Reconnecting…")
    game.world.leave("7")
    await until(lambda: link.trouble is None)
    assert link.color == "pink"
    playing.cancel()
    await asyncio.wait((playing,))
    await until(lambda: len(game.world.players) == 63)


def test_every_introduction_has_a_secret_of_128_bits() -> None:
    queries = [parse_qs(player_query("Zoë & Co")) for _ in range(2)]
    assert [query["name"] for query in queries] == [["Zoë & Co"]] * 2
    assert queries[0]["resume"] != queries[1]["resume"]
    assert len(base64.urlsafe_b64decode(queries[0]["resume"][0] + "==")) == 16


NO_DISPLAY = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "SDL_VIDEODRIVER": ""}


async def test_without_a_display_the_server_goes_on(start_app: StartApp) -> None:
    app = await start_app("box", "--port", "0", "--web-port", "0", env=NO_DISPLAY)
    address = await app.started()
    assert (await app.line()).startswith("Page: http://localhost:")
    assert await app.line() == "There is no display for a window; the server goes on."
    async with ws6455.connect(address) as connection:
        assert await connection.recv() == '{"your_color": "green"}'
    assert await app.stop() == (0, "", "")


async def test_a_client_without_a_display_says_so(start_app: StartApp) -> None:
    app = await start_app("box", "client", "ws://localhost:1", env=NO_DISPLAY)
    assert await app.rest() == ("", "There is no display for a window.\n")
    assert app.process.returncode == 1


async def test_a_client_without_a_server_says_so(start_app: StartApp) -> None:
    app = await start_app("box", "client", "ws://localhost:1")
    out, err = await app.rest()
    assert out == ""
    assert err == "Cannot reach ws://localhost:1: connection refused\n"
    assert app.process.returncode == 1


@pytest.mark.parametrize("url", ["localhost:8765", "http://localhost:1", "ws://[::1", "ws://h/#a"])
async def test_an_address_that_is_none_is_wrong_usage(start_app: StartApp, url: str) -> None:
    app = await start_app("box", "client", url)
    out, err = await app.rest()
    assert (app.process.returncode, out) == (2, "")
    assert err == f"'{url}' is not an address such as ws://localhost:8765\n"


async def test_alone_the_window_plays_on_the_server(start_app: StartApp) -> None:
    app = await start_app("box", "--port", "0", "--web-port", "0", "--name", "Ada")
    async with ws6455.connect(await app.started() + "/?name=") as watcher:
        async with asyncio.timeout(5):
            while '"Ada"' not in str(await watcher.recv()):
                pass
    assert (await app.line()).startswith("Page: ")
    assert await app.stop() == (0, "", "")


def options(**settings: object) -> argparse.Namespace:
    common = {"host": "localhost", "port": 0, "name": "", "web_port": 0, "origin": []}
    return argparse.Namespace(**{**common, "token": None, "tls_cert": None} | settings)


async def test_closing_the_window_leaves_the_game(serve_game: ServeGame) -> None:
    game, url = await serve_game()
    playing = asyncio.create_task(desktop.play(options(url=url)))
    await until(lambda: game.world.players and pygame.display.get_init())
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    async with asyncio.timeout(5):
        await playing
    await until(lambda: not game.world.players)
    assert not pygame.display.get_init()


# The app with a thread that closes its window after a line of input.
CLOSED_BY_A_LINE = """
import runpy, sys, threading, time
import pygame

def close():
    sys.stdin.readline()
    while not pygame.display.get_surface():
        time.sleep(0.01)
    pygame.event.post(pygame.event.Event(pygame.QUIT))

threading.Thread(target=close).start()
runpy.run_module("apps.box", run_name="__main__", alter_sys=True)
"""


async def test_closing_the_window_ends_the_server_with_it(start_app: StartApp) -> None:
    launcher = ("-c", CLOSED_BY_A_LINE)
    app = await start_app("box", "--port", "0", "--web-port", "0", launcher=launcher)
    async with ws6455.connect(await app.started()) as other:
        await app.type("close\n")
        await other.wait_closed()
        assert other.close_code == 1001
    out, err = await app.rest()
    assert (app.process.returncode, err) == (0, "")
    assert out.startswith("Page: http://localhost:")
