"""The pages: each of them in a headless Chromium, and their common blocks."""

import re
import signal
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.apps.conftest import ROOT, AppProcess, StartApp

APPS = ("greeter", "buzzer", "clock")
IMAGE = "<img src=x onerror=\"document.title='owned'\">"


def page_of(app: str) -> str:
    return Path(ROOT, "apps", app, "page.html").read_text()


def text_of(browser: Chrome, element: str) -> str:
    return browser.find_element(By.ID, element).text


def wait_for(browser: Chrome, element: str, pattern: str) -> re.Match[str]:
    """Wait until `pattern` is found in the text of `element`."""
    shown = WebDriverWait(browser, 10, poll_frequency=0.02).until(
        lambda _: re.search(pattern, text_of(browser, element)), f"{pattern} in {element}"
    )
    assert isinstance(shown, re.Match)
    return shown


async def open_page(browser: Chrome, server: AppProcess, query: str = "") -> str:
    """Open the page of `server`, wait until it is connected, and return the server's address."""
    url = await server.started()
    browser.get(url.replace("ws://", "http://") + "/" + query)
    wait_for(browser, "state", "^connected$")
    wait_for(browser, "clients", "^1 client$")
    wait_for(browser, "ping", r"^ping \d+\.\d ms$")
    return url


async def test_greeter(browser: Chrome, start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0")
    await open_page(browser, server)
    for name in ("Alice", IMAGE):
        field = browser.find_element(By.ID, "name")
        field.clear()
        field.send_keys(name)
        browser.find_element(By.ID, "send").click()
        wait_for(browser, "notes", f"^{re.escape(f'Hello {name}!')}")
    assert not browser.find_elements(By.TAG_NAME, "img")
    assert browser.title == "Greeter"


async def test_buzzer(browser: Chrome, start_app: StartApp) -> None:
    server = await start_app("buzzer", "server", "--port", "0")
    await open_page(browser, server)
    browser.find_element(By.ID, "buzz").click()
    wait_for(browser, "notes", "^first place!$")
    browser.find_element(By.TAG_NAME, "body").send_keys(" ")
    wait_for(browser, "notes", r"^response time: \d+\.\d\d seconds slower!\nfirst place!$")


async def test_clock(browser: Chrome, start_app: StartApp) -> None:
    server = await start_app("clock", "server", "--port", "0", "--tick", "0.1")
    await open_page(browser, server)
    wait_for(browser, "notes", r"^Welcome: ")
    first = wait_for(browser, "time", r"^\d\d:\d\d:\d\d$")
    wait_for(browser, "time", f"^(?!{first[0]})")
    for button, reply in (
        ("server_time", r"^server_time: \d{4}-"),
        ("client_time", r"^client_time: \d+\.\d{3} seconds"),
        ("num_clients", r"^num_clients: 1"),
        ("ping", r"^ping: pong after \d+\.\d ms"),
    ):
        browser.find_element(By.CSS_SELECTOR, f"button[value={button}]").click()
        wait_for(browser, "notes", reply)


async def test_page_with_a_token_reconnects(browser: Chrome, start_app: StartApp) -> None:
    arguments = ("clock", "server", "--token", "secret", "--port")
    server = await start_app(*arguments, "0")
    url = await open_page(browser, server, "?token=secret")
    await server.stop(signal.SIGTERM)
    wait_for(browser, "state", "^reconnecting$")
    buttons = browser.find_elements(By.TAG_NAME, "button")
    assert not any(button.is_enabled() for button in buttons)
    again = await start_app(*arguments, url.rpartition(":")[2])
    assert await again.started() == url
    wait_for(browser, "state", "^connected$")
    assert all(button.is_enabled() for button in buttons)


async def test_the_policy_stops_a_script_that_gets_in(browser: Chrome, start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0")
    await open_page(browser, server)
    browser.execute_script("document.body.innerHTML = arguments[0]", IMAGE)
    browser.execute_script(
        "const script = document.createElement('script');"
        "script.textContent = \"document.title = 'owned'\"; document.body.append(script);"
    )
    assert browser.execute_async_script("setTimeout(arguments[0], 100, document.title)") == (
        "Greeter"
    )


async def test_a_page_opened_as_a_file(browser: Chrome, start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0")
    port = (await server.started()).rpartition(":")[2]
    page = page_of("greeter").replace("localhost:8765", f"localhost:{port}")
    browser.get(write(Path(server.directory, "page.html"), page))
    wait_for(browser, "state", "^connected$")


def write(file: Path, text: str) -> str:
    file.write_text(text)
    return file.as_uri()


def common_blocks(page: str) -> list[str]:
    blocks = re.findall(r"(The (\w+): the same in every page\..*?The \2 ends\.)", page, re.DOTALL)
    return [text for text, _ in blocks]


@pytest.mark.parametrize("app", APPS)
def test_what_is_the_same_in_every_page_is(app: str) -> None:
    assert len(common_blocks(page_of(app))) == 2
    assert common_blocks(page_of(app)) == common_blocks(page_of(APPS[0]))


@pytest.mark.parametrize("app", APPS)
def test_a_page_needs_no_other_host(app: str) -> None:
    page = page_of(app)
    assert re.findall(r"\w*:?//[a-z].*", page) == []
    assert set(re.findall(r"""(?:src|href)\s*=\s*["']?([^"'\s>]*)""", page)) == {"data:,"}
    assert "innerHTML" not in page
    assert 'name="viewport"' in page
