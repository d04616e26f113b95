"""The desktop and the browser in one world: a key on one moves pixels on the other at once."""

import asyncio
import contextlib
import io
import os
import time
from collections.abc import AsyncIterator, Callable

import pygame
import websockets
from selenium.webdriver import ActionChains, Chrome, Keys

import ws6455
from apps.box.client import Link, player_query
from apps.box.colors import NAMED
from apps.box.window import Window
from apps.box.world import BORDER, BOX
from tests.apps.box.conftest import last_place, receive, until
from tests.apps.conftest import StartApp

DEADLINE = 0.25  # seconds from the key on one screen to the pixel on the other

# Record, in seconds since 1970, the first frame in which the pixel x, y of the field has the
# colour, and the first key press.
WATCH = """
const [x, y, color] = arguments;
const context = document.querySelector("canvas").getContext("2d", {willReadFrequently: true});
const hex = (part) => part.toString(16).padStart(2, "0");
addEventListener("keydown", () => window.pressedAt ??= Date.now() / 1000, true);
(function look() {
  const [r, g, b] = context.getImageData(x, y, 1, 1).data;
  if ("#" + hex(r) + hex(g) + hex(b) === color) window.seenAt ??= Date.now() / 1000;
  requestAnimationFrame(look);
})();
"""


@contextlib.asynccontextmanager
async def desktop(url: str) -> AsyncIterator[Link]:
    async def connect() -> ws6455.ClientConnection:
        return await ws6455.connect(f"{url}/?{player_query()}")

    link = Link(connect)
    window = Window(link)
    tasks = [asyncio.create_task(link.run(await connect())), asyncio.create_task(window.run())]
    try:
        yield link
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_a_key_on_one_moves_pixels_on_the_other(start_app: StartApp, browser: Chrome) -> None:
    app = await start_app("box", "server", "--port", "0", "--web-port", "0")
    url = await app.started()
    async with desktop(url) as link:
        await until(lambda: link.color == "green")
        await asyncio.to_thread(browser.get, url.replace("ws:", "http:"))
        await until(lambda: len(link.boxes) == 2)
        green, blue = sorted(link.boxes.values(), key=lambda box: box.color, reverse=True)

        # From the desktop to the browser: watch the pixel to the right of the green box.
        right, middle = green.x + BORDER + BOX + 2, green.y + BORDER + BOX // 2
        await asyncio.to_thread(browser.execute_script, WATCH, right, middle, NAMED["green"])
        pressed = time.time()
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_RIGHT))
        pygame.event.post(pygame.event.Event(pygame.KEYUP, key=pygame.K_RIGHT))
        seen = await noted(browser, "seenAt")
        assert 0 < seen - pressed < DEADLINE

        # And from the browser to the desktop.
        right, middle = blue.x + BORDER + BOX + 2, blue.y + BORDER + BOX // 2
        keys = ActionChains(browser).send_keys(Keys.ARROW_RIGHT)
        pressing = asyncio.create_task(asyncio.to_thread(keys.perform))
        surface = pygame.display.get_surface()
        color = pygame.Color(NAMED["blue"])
        await until(lambda: surface.get_at((right, middle)) == color)
        seen = time.time()
        await pressing
        pressed = await noted(browser, "pressedAt")
        assert 0 < seen - pressed < DEADLINE


async def noted(browser: Chrome, name: str) -> float:
    """Wait for the time that the page records under `name`, and return it."""
    async with asyncio.timeout(5):
        while True:
            at = await asyncio.to_thread(browser.execute_script, f"return window.{name} ?? 0")
            if at:
                return float(at)
            await asyncio.sleep(0.02)


async def test_alone_on_a_real_display(
    start_app: StartApp, program: Callable[[str, str], str]
) -> None:
    """Check an X11 window with synthetic keys and a screenshot."""
    xdotool = program("xdotool", "xdotool")
    screenshot = program("import", "imagemagick")
    async with display(program("Xvfb", "xvfb")) as env:
        app = await start_app("box", "--port", "0", "--web-port", "0", env=env)
        url = await app.started()
        # Without a window manager, xdotool finds a window by its class but not by its name.
        window = ("search", "--sync", "--onlyvisible", "--class", "__main__")
        await run(env, xdotool, *window, "windowfocus")
        async with websockets.connect(url) as watcher:
            await receive(watcher)
            start = (await receive(watcher))["positions"]["1"]
            assert start["color"] == "green"
            await run(env, xdotool, "keydown", "Down")
            while (place := (await receive(watcher))["positions"]["1"])["y"] < start["y"] + 50:
                pass
            await run(env, xdotool, "keyup", "Down")
            place = await last_place(watcher, "1", place)
            picture = await run(env, screenshot, "-window", "root", "png:-")
            screen = pygame.image.load(io.BytesIO(picture))
            middle = BORDER + BOX // 2
            pixel = screen.get_at((place["x"] + middle, place["y"] + middle))
            assert pixel == pygame.Color(NAMED["green"])
        assert (await app.stop())[0] == 0


@contextlib.asynccontextmanager
async def display(xvfb: str) -> AsyncIterator[dict[str, str]]:
    """Start a virtual display; yield the environment variables for programs on it."""
    server = await asyncio.create_subprocess_exec(
        *(xvfb, "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert server.stdout is not None
        number = (await server.stdout.readline()).decode().strip()
        yield {"DISPLAY": f":{number}", "SDL_VIDEODRIVER": "x11"}
    finally:
        server.terminate()
        await server.communicate()


async def run(env: dict[str, str], *command: str) -> bytes:
    """Run a program and return its output."""
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **env}, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(10):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 0
    return out
