"""The greeter: its messages and its transcripts, byte for byte."""

import asyncio
import re
from pathlib import Path

import pytest
import websockets

from apps.greeter.server import greet
from tests.apps.conftest import ROOT, StartApp, StartInTerminal, serving


async def test_the_transcripts_of_the_readme(
    start_app: StartApp, start_in_terminal: StartInTerminal
) -> None:
    server = await start_app("greeter", "server", "--port", "0")
    url = await server.started()
    client = start_in_terminal("greeter", "client", url)
    assert client.read_until(": ") == "Enter your name: "
    client.type("Alice\n")
    shown = await asyncio.to_thread(client.rest)
    assert shown == "Alice\r\nSent: Alice\r\nReceived: Hello Alice!\r\n"
    assert client.process.returncode == 0
    status, out, err = await server.stop()
    assert (status, err) == (0, "")
    assert out == f"Page: {url.replace('ws', 'http')}/\nHello Alice!\nSent: Hello Alice!\n"


async def test_piped_names_give_the_same_transcript(start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0")
    client = await start_app("greeter", "client", await server.started())
    out, err = await client.rest("Alice\n Zoe\u0308 \r\nBob")
    assert out == (
        "Enter your name: Alice\nSent: Alice\nReceived: Hello Alice!\n"
        "Enter your name:  Zoe\ufffd \nSent:  Zoe\ufffd \nReceived: Hello Zo\u00eb!\n"
        "Enter your name: Bob\nSent: Bob\nReceived: Hello Bob!\n"
    ).replace("\ufffd", "\u0308")
    assert (client.process.returncode, err) == (0, "")


@pytest.mark.parametrize(
    ("name", "answer", "status"),
    [("Alice", "Hello Alice!", 0), (" ", "Please send a name.", 1), ("\u202eX", None, 1)],
)
async def test_name_on_the_command_line(
    start_app: StartApp, name: str, answer: str | None, status: int
) -> None:
    server = await start_app("greeter", "server", "--port", "0")
    client = await start_app("greeter", "client", "--name", name, await server.started())
    out, err = await client.rest()
    assert out.splitlines()[-1] == f"Received: {answer or 'Please send a name.'}"
    assert (client.process.returncode, err) == (status, "")


async def test_one_wrong_name_of_many_is_status_1_and_none_too(start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0")
    url = await server.started()
    for typed in ("Alice\n\nBob\n", ""):
        client = await start_app("greeter", "client", url)
        await client.rest(typed)
        assert client.process.returncode == 1


async def test_the_wire() -> None:
    async with serving(greet) as url, websockets.connect(url, proxy=None) as client:
        for sent, answer in (
            ("Alice", "Hello Alice!"),
            (" Zoe\u0308\t", "Hello Zo\u00eb!"),
            ("", "Please send a name."),
            ("Al\x07ice", "Please send a name."),
            ("\u2067Alice", "Please send a name."),
            ("x" * 64, f"Hello {'x' * 64}!"),
            ("x" * 65, "Please send a name."),
        ):
            await client.send(sent)
            assert await client.recv() == answer
        await client.send(b"Alice")
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()
        assert client.close_code == 1003


async def test_five_wrong_names_close_1008() -> None:
    async with serving(greet) as url, websockets.connect(url, proxy=None) as client:
        for _ in range(5):
            await client.send("")
            assert await client.recv() == "Please send a name."
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()
        assert client.close_code == 1008


async def test_alone_is_server_and_client(start_in_terminal: StartInTerminal) -> None:
    alone = start_in_terminal("greeter", "--port", "0")
    shown = await asyncio.to_thread(alone.read_until, "name: ")
    started = re.match(r"Server started on (ws://localhost:\d+)\r\nPage: http://", shown)
    assert started
    alone.type("Alice\n")
    shown = await asyncio.to_thread(alone.read_until, "Received: Hello Alice!\r\n")
    for line in ("Hello Alice!", "Sent: Hello Alice!", "Sent: Alice"):
        assert line in shown.split("\r\n")
    async with websockets.connect(started[1], proxy=None) as client:
        await client.send("Bob")
        assert await client.recv() == "Hello Bob!"
    alone.process.terminate()
    shown = await asyncio.to_thread(alone.rest)
    assert shown == "Hello Bob!\r\nSent: Hello Bob!\r\n"
    assert alone.process.returncode == 0


async def test_selftest(start_app: StartApp) -> None:
    test = await start_app("greeter", "selftest")
    out, err = await test.rest()
    assert out.splitlines()[-1] == "selftest passed"
    assert len(re.findall(r"^ok: ", out, re.MULTILINE)) == 4
    assert (test.process.returncode, err) == (0, "")


async def test_selftest_fails_when_an_answer_is_wrong(start_app: StartApp) -> None:
    launcher = (
        "import runpy, apps.greeter.server as server; server.clean_name = lambda name: 'Eve';"
        "runpy.run_module('apps.greeter', run_name='__main__', alter_sys=True)"
    )
    test = await start_app("greeter", "selftest", launcher=("-c", launcher))
    out, _ = await test.rest()
    assert out.splitlines()[-1] == "selftest failed"
    assert "WRONG: 'Alice' is answered 'Hello Eve!'" in out.splitlines()
    assert test.process.returncode == 1


def test_the_server_is_a_page_to_read() -> None:
    assert len(Path(ROOT, "apps/greeter/server.py").read_text().splitlines()) <= 30
