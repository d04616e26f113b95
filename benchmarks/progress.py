"""Progress on standard error: a bar on a terminal, otherwise a line for each batch of rows."""

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from .contenders import Plan
from .measure import estimate
from .peers import Peer
from .rows import Row, runs


def expected_seconds(batch: Sequence[Row], peers: Sequence[Peer], plan: Plan) -> float:
    """Return the approximate seconds that a batch of rows takes."""
    return sum(
        plan.rounds * estimate(row, plan) for row in batch for peer in peers if runs(peer, row)
    )


def format_duration(seconds: float) -> str:
    """Format a duration as minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


class ProgressDisplay:
    """Context manager that shows the row, the program, the round and the time left.

    The bar is drawn between turns only, so that drawing does not disturb the measurements.
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
        self._expected = [expected_seconds(batch, peers, plan) for batch in batches]
        self._total = sum(self._expected)
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

    def __enter__(self) -> "ProgressDisplay":
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
        """Record the start of the next batch; turns skipped in the last one count as done."""
        self._done = self._total - sum(self._expected[self._begun :])
        self._turn = 0.0
        self._begun += 1
        if not self._console.is_terminal:
            names = ", ".join(row.name for row in batch)
            line = f"{self._begun}/{self._batches}  {self._left()} left  {names}"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def step(self, row: Row, peer: Peer, number: int) -> None:
        """Record the start of a turn in round ``number``."""
        self._done += self._turn
        self._turn = estimate(row, self._plan)
        turn = f"round {number}/{self._plan.rounds}"
        description = f"{row.name}  {peer.name}  {turn}  {self._left()} left"
        self._bar.update(self._task, completed=self._done, description=description)
        self._bar.refresh()

    def _left(self) -> str:
        """Return the estimated time left; after a minute it is scaled by the pace so far."""
        elapsed = time.monotonic() - self._since
        pace = elapsed / self._done if self._done and elapsed > 60 else 1.0
        return format_duration((self._total - self._done) * pace)
