"""The page in headless Chromium, against a server in a process of its own."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any

import websockets
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from apps.box.colors import NAMED
from apps.box.world import BORDER, BOX
from tests.apps.box.conftest import CuttableLink, last_place, receive
from tests.apps.conftest import StartApp

Cuttable = Callable[[str], Awaitable[CuttableLink]]

# The start position of the second player.
SECOND_START: dict[str, Any] = {"x": 525, "y": 375, "color": "blue"}

# The pixel x, y of the field as "#rrggbb".
PIXEL = """
const field = document.querySelector("canvas"), scale = field.width / 800;
const [x, y] = [...arguments].map((pixels) => pixels * scale);
const [r, g, b] = field.getContext("2d").getImageData(x, y, 1, 1).data;
return "#" + [r, g, b].map((part) => part.toString(16).padStart(2, "0")).join("");
"""

# Press and release a key within one turn of the page's event loop. A key sent by the driver is
# held for an unpredictable time.
TAP = """
const [code] = arguments;
dispatchEvent(new KeyboardEvent("keydown", {code}));
dispatchEvent(new KeyboardEvent("keyup", {code}));
"""


async def serve(start_app: StartApp, *flags: str) -> str:
    app = await start_app("box", "server", "--port", "0", "--web-port", "0", *flags)
    return (await app.started()).removeprefix("ws://")


async def text_of(browser: Chrome, selector: str) -> str:
    return await asyncio.to_thread(lambda: browser.find_element(By.CSS_SELECTOR, selector).text)


async def until_text(browser: Chrome, selector: str, pattern: str) -> None:
    """Wait until the element's text matches `pattern`."""
    async with asyncio.timeout(10):
        while True:
            if re.fullmatch(pattern, await text_of(browser, selector)):
                return
            await asyncio.sleep(0.02)


async def pixel(browser: Chrome, x: int, y: int) -> str:
    return str(await asyncio.to_thread(browser.execute_script, PIXEL, x, y))


async def until_pixel(browser: Chrome, x: int, y: int, color: str) -> None:
    async with asyncio.timeout(10):
        while True:
            if await pixel(browser, x, y) == color:
                return
            await asyncio.sleep(0.02)


async def until_second_player(
    watcher: websockets.ClientConnection, holds: Callable[[dict[str, Any]], bool]
) -> dict[str, dict[str, Any]]:
    """Wait until `holds` is true for the second player's place; return all places."""
    while True:
        positions: dict[str, dict[str, Any]] = (await receive(watcher)).get("positions", {})
        if "2" in positions and holds(positions["2"]):
            return positions


def test_the_page_has_the_same_shades_as_the_desktop() -> None:
    page = resources.files("apps.box").joinpath("page.html").read_text()
    shades = page[page.index("const SHADES") : page.index("const DIRECTIONS")]
    assert dict(re.findall(r'(\w+): "(#\w+)"', shades)) == NAMED


def test_the_page_needs_no_other_host() -> None:
    page = resources.files("apps.box").joinpath("page.html").read_text()
    assert re.findall(r"(?:src|href)=\"(?!data:)|url\(|@import|https?://", page) == [
        "http://"  # localhost, for the page opened from a file
    ]
    assert page.count("http://localhost:8765/") == 1


async def test_the_page_plays_in_the_world_of_the_others(
    start_app: StartApp, browser: Chrome
) -> None:
    host = await serve(start_app)
    async with websockets.connect(f"ws://{host}/?name=%3Cimg%20src%3Dx%20o%3E") as other:
        assert await receive(other) == {"your_color": "green"}
        await asyncio.to_thread(browser.get, f"http://{host}/?name=Zoe")
        await until_text(browser, "#you", "You are: blue")
        await until_text(browser, "#status", r"connected · 2 players · [\d.]+ ms")
        middle = BORDER + BOX // 2
        await until_pixel(browser, 210 + middle, 150 + middle, NAMED["green"])
        await until_pixel(browser, 525 + middle, 375 + middle, NAMED["blue"])
        # The player's own box has an outline.
        assert await pixel(browser, 525 + BORDER + 1, 375 + middle) == "#ffffff"

        keys = ActionChains(browser).send_keys("d").send_keys(Keys.ARROW_DOWN)
        await asyncio.to_thread(keys.perform)
        positions = await until_second_player(
            other, lambda place: place["x"] > 525 and place["y"] > 375
        )
        assert list(positions) == ["1", "2"]
        # The number of steps depends on how long the browser holds the key.
        place = await last_place(other, "2", positions["2"])
        assert place["x"] % 5 == place["y"] % 5 == 0
        assert place["color"] == "blue"

        # A name with markup is drawn as text. Typing a name does not move the box.
        assert not browser.find_elements(By.TAG_NAME, "img")
        field = browser.find_element(By.ID, "name")
        await asyncio.to_thread(field.clear)
        await asyncio.to_thread(field.send_keys, "wasd", Keys.ENTER)
        async with asyncio.timeout(5):
            while "wasd" not in str(await receive(other)):
                pass
        await until_text(browser, "#you", "You are: blue")
        assert await pixel(browser, place["x"] + middle, place["y"] + middle) == NAMED["blue"]
        log = browser.execute("getLog", {"type": "browser"})["value"]
        assert [entry for entry in log if entry["level"] == "SEVERE"] == []


async def test_a_key_tapped_between_two_frames_moves_one_step(
    start_app: StartApp, browser: Chrome
) -> None:
    host = await serve(start_app)
    async with websockets.connect(f"ws://{host}") as watcher:
        await receive(watcher)
        await asyncio.to_thread(browser.get, f"http://{host}/")
        await until_text(browser, "#you", "You are: blue")
        await asyncio.to_thread(browser.execute_script, TAP, "ArrowLeft")
        positions = await until_second_player(watcher, lambda place: place != SECOND_START)
        place = await last_place(watcher, "2", positions["2"])
        assert place == SECOND_START | {"x": 520}


async def test_keys_are_released_on_blur(start_app: StartApp, browser: Chrome) -> None:
    host = await serve(start_app)
    async with websockets.connect(f"ws://{host}") as watcher:
        await receive(watcher)
        await asyncio.to_thread(browser.get, f"http://{host}/")
        await until_text(browser, "#you", "You are: blue")
        await asyncio.to_thread(ActionChains(browser).key_down(Keys.ARROW_LEFT).perform)
        positions = await until_second_player(watcher, lambda place: place["x"] <= 500)
        await asyncio.to_thread(browser.execute_script, "dispatchEvent(new Event('blur'))")
        assert 300 < (await last_place(watcher, "2", positions["2"]))["x"] <= 500


async def test_touch_buttons_move_the_box_on_a_phone(start_app: StartApp, browser: Chrome) -> None:
    # The page passes the token of its URL to its WebSocket.
    host = await serve(start_app, "--token", "s3cret")

    def open_on_phone() -> None:
        metrics = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
        browser.get(f"http://{host}/?token=s3cret")

    await asyncio.to_thread(open_on_phone)
    await until_text(browser, "#you", "You are: green")

    def touch_down_button(kind: str) -> None:
        box = browser.find_element(By.CSS_SELECTOR, "[data-direction=down]").rect
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        points = [point] if kind == "touchStart" else []
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    async with websockets.connect(f"ws://{host}/?token=s3cret") as watcher:
        await receive(watcher)
        await asyncio.to_thread(touch_down_button, "touchStart")
        while (place := (await receive(watcher))["positions"]["1"])["y"] < 250:
            pass
        await asyncio.to_thread(touch_down_button, "touchEnd")
        assert 250 <= (await last_place(watcher, "1", place))["y"] < 540
    page_width = await asyncio.to_thread(
        browser.execute_script, "return document.documentElement.scrollWidth"
    )
    assert page_width <= 360


async def test_a_lost_page_comes_back_to_the_same_box(
    start_app: StartApp, browser: Chrome, cuttable: Cuttable
) -> None:
    host = await serve(start_app)
    relay = await cuttable(f"ws://{host}")
    async with websockets.connect(f"ws://{host}") as watcher:
        await receive(watcher)
        await asyncio.to_thread(browser.get, relay.url.replace("ws:", "http:"))
        await until_text(browser, "#you", "You are: blue")
        await asyncio.to_thread(ActionChains(browser).send_keys("w").perform)
        positions = await until_second_player(watcher, lambda place: place != SECOND_START)
        place = await last_place(watcher, "2", positions["2"])
        relay.refuse = True
        relay.cut()
        await until_text(browser, "#banner", "Reconnecting…")
        await until_text(browser, "#status", "reconnecting · .*")
        relay.refuse = False
        await until_text(browser, "#banner", "")
        async with asyncio.timeout(5):
            while (await receive(watcher))["positions"].get("2") != place:
                pass
        # The page loaded again is the same player, too.
        await asyncio.to_thread(browser.refresh)
        await until_text(browser, "#you", "You are: blue")
        await until_text(browser, "#status", r"connected · 2 players · [\d.]+ ms")


async def test_the_page_is_on_the_web_port_too(start_app: StartApp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        web_port = probe.getsockname()[1]
    ports = ("--port", "0", "--web-port", str(web_port))
    app = await start_app("box", "server", *ports)
    await app.started()
    assert (await app.line()).startswith("Page: http://localhost:")
    assert await app.line() == f"Page: http://localhost:{web_port}/"
    async with websockets.connect(f"ws://localhost:{web_port}") as client:
        assert await receive(client) == {"your_color": "green"}
        # A second server finds the port in use, prints one line and keeps running.
        other = await start_app("box", "server", *ports)
        await other.started()
        assert (await other.line()).startswith("Page: http://localhost:")
        in_use = f"The page of the box game is not on port {web_port}: Address already in use"
        assert await other.line() == in_use
        assert await other.stop() == (0, "", "")
