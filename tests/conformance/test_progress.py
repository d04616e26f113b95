"""Progress on a terminal and in a log."""

import asyncio
import contextlib
import io

import pytest

from conformance.progress import Progress


class Screen(io.StringIO):
    """A stream that signals a flush; `terminal` is the result of `isatty`."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal
        self.flushed = asyncio.Event()

    def isatty(self) -> bool:
        return self.terminal

    def flush(self) -> None:
        self.flushed.set()


async def shown(progress: Progress, screen: Screen) -> str:
    showing = asyncio.create_task(progress.show())
    await screen.flushed.wait()
    showing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await showing
    return screen.getvalue()


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


async def test_a_log_gets_plain_lines() -> None:
    screen = Screen(terminal=False)
    progress = Progress({"server": 4, "client": 4}, screen)
    progress.begin("server", "1.1.1")
    progress.begin("server", "1.1.2")
    assert await shown(progress, screen) == "0:00  server 2/4 1.1.2  client 0/4 starting\n"


@pytest.mark.usefixtures("wide")
async def test_a_terminal_gets_a_bar_that_is_wiped_at_the_end() -> None:
    screen = Screen(terminal=True)
    progress = Progress({"server": 4}, screen)
    progress.begin("server", "1.1.1")
    text = await shown(progress, screen)
    assert text == "\r0:00  server [##........] 1/4 1.1.1\x1b[K\r\x1b[K"


async def test_a_bar_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    screen = Screen(terminal=True)
    text = await shown(Progress({"server": 4, "client": 4}, screen), screen)
    assert len(text.split("\x1b[K")[0].strip()) == 19
