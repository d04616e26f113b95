"""Tests of ``connect`` and ``bench`` in a terminal, with prompt_toolkit and rich, and without."""

import asyncio
import re
import signal
import termios

import pytest

from tests.cli.conftest import BARE, StartInTerminal, serving
from tests.terminals import Terminal
from ws6455 import ServerConnection

RICH = ("-m", "ws6455")
LAUNCHERS = [pytest.param(RICH, id="rich"), pytest.param(("-c", BARE), id="bare")]
READY = "(Ctrl+D closes)"
PROMPT = "\x1b[?25h"  # prompt_toolkit shows the cursor when it has drawn the prompt
CLOSED_BY_SIGNAL = "connection closed: sent 1001 (going away); then received 1001 (going away)"


async def read_until(terminal: Terminal, end: str) -> str:
    """Read in a thread, since the server runs in this one."""
    return await asyncio.to_thread(terminal.read_until, end)


async def status_of(terminal: Terminal) -> int:
    return await asyncio.to_thread(terminal.process.wait, 20)


@pytest.mark.parametrize("launcher", LAUNCHERS)
async def test_a_conversation(terminal: StartInTerminal, launcher: tuple[str, ...]) -> None:
    async with serving() as uri:
        shown = terminal(*launcher, "connect", uri)
        await read_until(shown, READY)
        for line in ("hello", "Zo\u00eb", "\U0001f469\u200d\U0001f680"):
            shown.type(f"{line}\r")
            await read_until(shown, "< ")
            await read_until(shown, line)
            if launcher == RICH:
                # During output there is no prompt, and a key may be lost.
                await read_until(shown, PROMPT)
        shown.type("\x04")
        await read_until(shown, "connection closed: sent 1000 (OK); then received 1000 (OK)")
        assert await status_of(shown) == 0


@pytest.mark.parametrize("launcher", LAUNCHERS)
async def test_the_server_closes(terminal: StartInTerminal, launcher: tuple[str, ...]) -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(4000, "enough")

    async with serving(leave) as uri:
        shown = terminal(*launcher, "connect", uri)
        await read_until(shown, READY)
        shown.type("anything\r")
        await read_until(shown, "connection closed: received 4000 (private use) enough")
        assert await status_of(shown) == 1


async def test_the_key_ctrl_c_closes_the_connection(terminal: StartInTerminal) -> None:
    # At the prompt, the terminal does not convert the key to a signal.
    async with serving() as uri:
        shown = terminal(*RICH, "connect", uri)
        await read_until(shown, READY)
        await read_until(shown, PROMPT)
        shown.type("half a line\x03")
        await read_until(shown, CLOSED_BY_SIGNAL)
        assert await status_of(shown) == 130


@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_closes_the_connection(
    terminal: StartInTerminal, launcher: tuple[str, ...], number: signal.Signals
) -> None:
    async with serving() as uri:
        shown = terminal(*launcher, "connect", uri)
        before = termios.tcgetattr(shown.terminal)
        await read_until(shown, READY)
        if launcher == RICH:
            await read_until(shown, PROMPT)
        shown.process.send_signal(number)
        await read_until(shown, CLOSED_BY_SIGNAL)
        assert await status_of(shown) == 128 + number
    assert termios.tcgetattr(shown.terminal) == before


@pytest.mark.parametrize("launcher", LAUNCHERS)
async def test_what_is_typed_and_no_text_is_refused(
    terminal: StartInTerminal, launcher: tuple[str, ...]
) -> None:
    async with serving() as uri:
        shown = terminal(*launcher, "connect", uri)
        await read_until(shown, READY)
        if launcher == RICH:
            await read_until(shown, PROMPT)
        shown.type("Zo\udceb\r")  # in Latin-1
        await read_until(shown, "ws6455 connect: the input is not UTF-8 (use --binary to send")
        assert await status_of(shown) == 1


async def test_what_is_being_typed_stays_below_what_comes(terminal: StartInTerminal) -> None:
    typed = asyncio.Event()

    async def interrupt(connection: ServerConnection) -> None:
        await typed.wait()
        await connection.send("meanwhile")
        await connection.send(await connection.recv())

    async with serving(interrupt) as uri:
        shown = terminal(*RICH, "connect", uri)
        await read_until(shown, READY)
        shown.type("half ")
        await read_until(shown, "half")
        typed.set()
        await read_until(shown, "meanwhile")
        await read_until(shown, "half")  # again, below it
        shown.type("a line\r")
        await read_until(shown, "< ")
        await read_until(shown, "half a line")
        assert await status_of(shown) == 0


async def test_earlier_lines_come_back(terminal: StartInTerminal) -> None:
    received: asyncio.Queue[object] = asyncio.Queue()

    async def listen(connection: ServerConnection) -> None:
        async for message in connection:
            await received.put(message)

    async with serving(listen) as uri:
        shown = terminal(*RICH, "connect", uri)
        await read_until(shown, READY)
        shown.type("first\r")
        async with asyncio.timeout(20):
            assert await received.get() == "first"
            shown.type("\x1b[A\r")  # arrow up
            assert await received.get() == "first"


@pytest.mark.parametrize("launcher", LAUNCHERS)
async def test_nothing_received_can_steer_the_terminal(
    terminal: StartInTerminal, launcher: tuple[str, ...]
) -> None:
    async def steer(connection: ServerConnection) -> None:
        await connection.send("\x1b]0;owned\x07\x9b2J")
        await connection.close(1000, "\x1b[31m")

    async with serving(steer) as uri:
        shown = terminal(*launcher, "connect", uri, "--trace")
        text = await read_until(shown, "connection closed: received 1000 (OK) \ufffd[31m")
    assert "\ufffd]0;owned\ufffd\ufffd2J" in text
    assert "\x1b]0" not in text
    assert "\x07" not in text
    assert "\x1b[31m" not in text


@pytest.mark.parametrize("launcher", LAUNCHERS)
async def test_much_binary_is_cut_short(
    terminal: StartInTerminal, launcher: tuple[str, ...]
) -> None:
    async def send(connection: ServerConnection) -> None:
        await connection.send(b"\x07")
        await connection.send(bytes(1000))

    async with serving(send) as uri:
        shown = terminal(*launcher, "connect", uri)
        await read_until(shown, "[1 byte] 07")
        await read_until(shown, "[1000 bytes] 00 00 ")
        text = await read_until(shown, "connection closed")
    assert text.count(" 00") == 61  # one more is before the first space
    assert "..." in text


def test_bytes_are_not_written_to_a_terminal(terminal: StartInTerminal) -> None:
    shown = terminal(*RICH, "connect", "ws://localhost", "--binary")
    shown.read_until("ws6455 connect: --binary would write bytes to the terminal: pipe the output")
    assert shown.process.wait(20) == 2


async def test_the_trace_goes_where_standard_error_goes(terminal: StartInTerminal) -> None:
    # Even at a prompt, where output to the terminal is redirected.
    async with serving() as uri:
        command = f'exec "$0" -m ws6455 connect {uri} --trace 2> trace'
        shown = terminal(
            "-c", "import os, sys; os.execvp('sh', ['sh', '-c', sys.argv[1], sys.executable])",
            command,
        )  # fmt: skip
        await read_until(shown, PROMPT)
        shown.type("hello\r")
        text = await read_until(shown, "< ")
        await read_until(shown, "hello")
        await read_until(shown, PROMPT)
        shown.type("\x04")
        assert await status_of(shown) == 0
    assert "HTTP/1.1" not in text
    trace = (shown.directory / "trace").read_text()
    assert "< HTTP/1.1 101 Switching Protocols" in trace
    assert "\x1b" not in trace


async def test_a_measurement_shows_its_progress(terminal: StartInTerminal) -> None:
    async with serving() as uri:
        shown = terminal(*RICH, "bench", uri, "--seconds", "60")
        text = await read_until(shown, "messages/s")
        shown.process.send_signal(signal.SIGINT)
        await read_until(shown, "\x1b[K")  # and removes it
        assert await status_of(shown) == 130
    assert re.search(r"[1-9][\d,]* messages/s", text)
