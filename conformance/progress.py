"""Progress on standard error: a bar on a terminal, otherwise an occasional line."""

import asyncio
import shutil
import time
from collections.abc import Mapping
from typing import TextIO

# Seconds between two updates of the bar, and between two lines.
BAR_INTERVAL = 0.2
LINE_INTERVAL = 15.0

_WIDTH = 10  # Both roles fit on a terminal of 80 columns.


class Progress:
    """The number of cases started in each role, the total, and the case started last."""

    def __init__(self, totals: Mapping[str, int], stream: TextIO) -> None:
        self._totals = totals
        self._stream = stream
        self._begun = dict.fromkeys(totals, 0)
        self._last = dict.fromkeys(totals, "starting")
        self._since = time.monotonic()

    def begin(self, role: str, case: str) -> None:
        """Record the start of ``case``."""
        self._begun[role] += 1
        self._last[role] = case

    async def show(self) -> None:
        """Show the progress at intervals until cancelled."""
        bar = self._stream.isatty()
        try:
            while True:
                self._stream.write(f"\r{self._line(bar)}\x1b[K" if bar else self._line(bar) + "\n")
                self._stream.flush()
                await asyncio.sleep(BAR_INTERVAL if bar else LINE_INTERVAL)
        finally:
            if bar:
                self._stream.write("\r\x1b[K")
                self._stream.flush()

    def _line(self, bar: bool) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._since), 60)
        parts = [f"{minutes}:{seconds:02}"]
        for role, total in self._totals.items():
            begun = self._begun[role]
            filled = "#" * (_WIDTH * begun // total)
            drawn = f"[{filled:.<{_WIDTH}}] " if bar else ""
            parts.append(f"{role} {drawn}{begun}/{total} {self._last[role]}")
        line = "  ".join(parts)
        return line[: shutil.get_terminal_size().columns - 1] if bar else line
