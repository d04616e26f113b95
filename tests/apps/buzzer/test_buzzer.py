"""The buzzer: its messages byte for byte, its rounds, and the space bar in a terminal."""

import asyncio
import re
import signal
import time

import pytest
import websockets

from apps.buzzer.server import Buzzer
from tests.apps.conftest import StartApp, StartInTerminal, serving

SLOWER = re.compile(r"response time: (\d+\.\d\d) seconds slower!")


async def test_first_place_and_response_times(capsys: pytest.CaptureFixture[str]) -> None:
    async with (
        serving(Buzzer().serve) as url,
        websockets.connect(url, proxy=None) as one,
        websockets.connect(url, proxy=None) as two,
    ):
        await one.send("buzz")
        assert await one.recv() == "first place!"
        began = time.monotonic()
        await asyncio.sleep(0.25)
        for client in (two, one):
            await client.send("any text")
            slower = SLOWER.fullmatch(str(await client.recv()))
            assert slower
            assert 0.24 <= float(slower[1]) <= time.monotonic() - began + 0.1
    assert capsys.readouterr().out.splitlines()[0] == "Round 1: first place!"


async def test_two_decimals(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    buzzer = Buzzer()
    answers = []
    for now in (100.0, 101.234, 101.235001, 100.004, 3700.0):
        monkeypatch.setattr(loop, "time", lambda now=now: now)
        answers.append(buzzer.buzz())
    monkeypatch.undo()
    assert answers == [
        "first place!",
        "response time: 1.23 seconds slower!",
        "response time: 1.24 seconds slower!",
        "response time: 0.00 seconds slower!",
        "response time: 3600.00 seconds slower!",
    ]


async def test_auto_opens_a_new_round(start_app: StartApp) -> None:
    server = await start_app("buzzer", "server", "--port", "0", "--auto", "--pause", "0.2")
    url = await server.started()
    assert (await server.line()).startswith("Page: ")
    async with websockets.connect(url, proxy=None) as client:
        for number in (1, 2):
            await client.send("buzz")
            assert await client.recv() == "first place!"
            assert await server.line() == f"Round {number}: first place!"
            await client.send("buzz")
            assert SLOWER.fullmatch(str(await client.recv()))
            assert (await server.line()).startswith(f"Round {number}: response time: 0.")
            assert await server.line() == f"Round {number + 1} is open"


async def test_binary_is_no_buzz_and_five_close_1008() -> None:
    async with (
        serving(Buzzer().serve) as url,
        websockets.connect(url, proxy=None) as wrong,
        websockets.connect(url, proxy=None) as right,
    ):
        for _ in range(5):
            await wrong.send(b"buzz")
            assert await wrong.recv() == "Please send text."
        with pytest.raises(websockets.ConnectionClosed):
            await wrong.recv()
        assert wrong.close_code == 1008
        await right.send("")
        assert await right.recv() == "first place!"


async def test_piped_lines_buzz(start_app: StartApp) -> None:
    server = await start_app("buzzer", "server", "--port", "0")
    client = await start_app("buzzer", "client", await server.started())
    out, err = await client.rest("\nbuzz\n")
    first, second = out.splitlines()
    assert first == "first place!"
    assert SLOWER.fullmatch(second)
    assert (client.process.returncode, err) == (0, "")


async def test_the_space_bar(start_app: StartApp, start_in_terminal: StartInTerminal) -> None:
    server = await start_app("buzzer", "server", "--port", "0")
    client = start_in_terminal("buzzer", "client", await server.started())
    await asyncio.to_thread(client.read_until, "q: quit.\r\n")
    await asyncio.to_thread(client.wait_for_key_mode)
    client.type("x\n ")
    assert await asyncio.to_thread(client.read_until, "\r\n") == "first place!\r\n"
    client.type(" ")
    assert SLOWER.fullmatch((await asyncio.to_thread(client.read_until, "\r\n")).strip())
    client.type("q")
    assert await asyncio.to_thread(client.rest) == ""
    assert client.process.returncode == 0
    assert client.settings() == client.settings_before


@pytest.mark.parametrize(
    "end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, "server"]
)
async def test_the_terminal_is_restored(
    start_app: StartApp, start_in_terminal: StartInTerminal, end: signal.Signals | str
) -> None:
    server = await start_app("buzzer", "server", "--port", "0")
    client = start_in_terminal("buzzer", "client", await server.started())
    await asyncio.to_thread(client.wait_for_key_mode)
    if isinstance(end, signal.Signals):
        client.process.send_signal(end)
        expected = 128 + end
    else:
        await server.stop()
        expected = 1
    shown = await asyncio.to_thread(client.rest)
    assert "Traceback" not in shown
    assert client.process.returncode == expected
    assert client.settings() == client.settings_before


async def test_alone_the_terminal_is_restored_too(start_in_terminal: StartInTerminal) -> None:
    alone = start_in_terminal("buzzer", "--port", "0")
    await asyncio.to_thread(alone.read_until, "q: quit.\r\n")
    await asyncio.to_thread(alone.wait_for_key_mode)
    alone.type(" ")
    await asyncio.to_thread(alone.read_until, "\nfirst place!\r\n")
    alone.process.send_signal(signal.SIGINT)
    assert "Traceback" not in await asyncio.to_thread(alone.rest)
    assert alone.process.returncode == 0
    assert alone.settings() == alone.settings_before
