"""What is going on, on standard error: a bar on a terminal, else a line for each batch of rows."""

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from .contenders import Plan
from .measure import estimate
from .peers import Peer
from .rows import Row, runs


def expected(batch: Sequence[Row], peers: Sequence[Peer], plan: Plan) -> float:
    """Give about the seconds that a batch of rows takes."""
    return sum(
        plan.rounds * estimate(row, plan) for row in batch for peer in peers if runs(peer, row)
    )


def clock(seconds: float) -> str:
    """Write a duration as minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


class Watch:
    """Shows the row, the program, the round and the time left; a context manager.

    The bar is drawn between two turns only: it must not take time from what is measured.
    """

    def __init__(
        self,
        batches: Sequence[Sequence[Row]],
        peers: Sequence[Peer],
        plan: Plan,
        console: Console,
    ) -> None:
        self._plan = plan
        self._console = console
        self._batches = len(batches)
        self._begun = 0
        self._ahead = [expected(batch, peers, plan) for batch in batches]
        self._total = sum(self._ahead)
        self._done = self._turn = 0.0
        self._since = time.monotonic()
        self._bar = Progress(
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:>3.0f}%  {task.description}"),
            console=console,
            auto_refresh=False,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=self._total)

    def __enter__(self) -> "Watch":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def begin(self, batch: Sequence[Row]) -> None:
        """Note that the next batch begins, whatever became of the turns of the last one."""
        self._done = self._total - sum(self._ahead[self._begun :])
        self._turn = 0.0
        self._begun += 1
        if not self._console.is_terminal:
            names = ", ".join(row.name for row in batch)
            line = f"{self._begun}/{self._batches}  {self._left()} left  {names}"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def step(self, row: Row, peer: Peer, number: int) -> None:
        """Note that a turn begins in round ``number``."""
        self._done += self._turn
        self._turn = estimate(row, self._plan)
        turn = f"round {number}/{self._plan.rounds}"
        description = f"{row.name}  {peer.name}  {turn}  {self._left()} left"
        self._bar.update(self._task, completed=self._done, description=description)
        self._bar.refresh()

    def _left(self) -> str:
        """Give the time left as estimated, or as the pace of the last minute or more shows it."""
        elapsed = time.monotonic() - self._since
        pace = elapsed / self._done if self._done and elapsed > 60 else 1.0
        return clock((self._total - self._done) * pace)
