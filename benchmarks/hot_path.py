"""Counts of the code executed in the hot path: ``python -m benchmarks.hot_path``.

Times vary between runs by more than the regressions that matter. Counts do not vary. Two figures
describe the cost of a message in each scenario:

- Instructions: bytecode instructions executed in the library and in the Python code that it calls
  (`enum`, `dataclasses`, `logging`). Those of the event loop are excluded: they do not belong to
  the library, change with every patch release of Python, and would hide small changes.
- Calls: calls of Python and C functions and resumptions of coroutines, including those of the event
  loop. This figure shows work moved into C, superfluous wake-ups and additional turns of the loop.

Moving work from the event loop into the library raises the first figure and lowers the second.

Connections and event loop are real, and the peer answers at once (see `scenarios`). Therefore both
figures are the same in every run on one version of Python. numpy is hidden, so that the library's
own code is counted.
"""

import argparse
import datetime
import gc
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self
from unittest import mock

from . import scenarios
from .scenarios import SCENARIOS, Scenario

__all__ = ["Count", "count", "main"]

BASELINE = Path(__file__).with_suffix(".json")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# A figure may exceed its baseline by this share. If it falls by more, the baseline is stale.
TOLERANCE = 0.10

_HARNESS = {__name__, scenarios.__name__, "unittest.mock"}
_EVENT_LOOP = ("asyncio", "selectors")


@dataclass(frozen=True)
class Count:
    """The cost of a message; see the module's docstring."""

    instructions: int
    calls: int


class _Counter:
    """Counter of the code that this thread executes between :meth:`start` and :meth:`stop`."""

    def __init__(self) -> None:
        self.instructions = 0
        self.calls = 0

    def start(self) -> None:
        # Python 3.12 checks f_trace_opcodes only when tracing starts.
        sys._getframe().f_trace_opcodes = True
        sys.setprofile(self._profile)
        sys.settrace(self._trace)

    def stop(self) -> None:
        sys.settrace(None)
        sys.setprofile(None)

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        # The frame is the callee's for a Python function, but the caller's for a C function.
        if event in ("call", "c_call") and frame.f_globals.get("__name__") not in _HARNESS:
            self.calls += 1

    def _trace(self, frame: FrameType, _: str, __: Any) -> Callable[..., Any] | None:
        # Identify code by its globals: generated code, as of dataclasses, has no file.
        module = str(frame.f_globals.get("__name__"))
        if module in _HARNESS or module.partition(".")[0] in _EVENT_LOOP:
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._trace_frame

    def _trace_frame(self, _: FrameType, event: str, __: Any) -> Callable[..., Any]:
        if event == "opcode":
            self.instructions += 1
        return self._trace_frame


class _StoppedClock(datetime.datetime):
    """A stopped time of day: each new second would build a new Date header."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        return cls(2000, 1, 1, tzinfo=tz)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Exclude code that is executed occasionally or at random."""
    tracing, profiling = sys.gettrace(), sys.getprofile()
    gc.collect()
    gc.disable()
    try:
        with (
            mock.patch.dict(sys.modules, {"numpy": None}),
            mock.patch("datetime.datetime", _StoppedClock),
            mock.patch("time.time", _StoppedClock.now().timestamp),
        ):
            yield
    finally:
        gc.enable()
        sys.settrace(tracing)
        sys.setprofile(profiling)


def count(scenario: Scenario) -> Count:
    """Return the cost of a message of a scenario after the warm-up.

    Raises:
        RuntimeError, TimeoutError: see :func:`benchmarks.scenarios.run`.
    """
    with _undisturbed():
        _play(scenario)  # Python 3.13 counts all of a function only from its second call on.
        marks = _play(scenario)
    before, after = marks[scenarios.WARM_UP], marks[scenarios.WARM_UP + scenarios.ROUNDS]
    messages = scenarios.ROUNDS * scenario.messages
    return Count(*(round((b - a) / messages) for a, b in zip(before, after, strict=True)))


def _play(scenario: Scenario) -> list[tuple[int, int]]:
    """Run a scenario and return the counter's two figures at the end of each round."""
    counter = _Counter()
    marks: list[tuple[int, int]] = []
    counter.start()
    try:
        scenarios.run(scenario, lambda: marks.append((counter.instructions, counter.calls)))
    finally:
        counter.stop()
    return marks


def _changes(now: Count, then: Count) -> list[float]:
    """Return the relative changes of instructions and calls."""
    pairs = ((now.instructions, then.instructions), (now.calls, then.calls))
    return [new / old - 1 for new, old in pairs]


def _table(counts: dict[str, Count], baseline: dict[str, Count]) -> str:
    lines = [
        f"{'':32}{'instructions':^27} {'calls':^27}",
        f"{'per message, Python ' + PYTHON:32}" + f"{'now':>9}{'baseline':>10}{'change':>9}" * 2,
    ]
    for name, now in counts.items():
        line = f"{name:32}"
        then = baseline.get(name)
        if then is None:
            line += "".join(f"{new:9}{'-':>10}{'-':>9}" for new in (now.instructions, now.calls))
        else:
            for new, old, change in zip(
                (now.instructions, now.calls),
                (then.instructions, then.calls),
                _changes(now, then),
                strict=True,
            ):
                line += f"{new:9}{old:10}{change:+9.1%}"
        lines.append(line)
    return "\n".join(lines)


def _judge(counts: dict[str, Count], baseline: dict[str, Count]) -> int:
    """Print the figures beyond the tolerance and return the exit status."""
    status = 0
    for name, now in counts.items():
        for what, change in zip(
            ("instructions", "calls"), _changes(now, baseline[name]), strict=True
        ):
            if change > TOLERANCE:
                print(f"{name}: {what} {change:+.1%}, more than {TOLERANCE:.0%} above the baseline")
                status = 1
            elif change < -TOLERANCE:
                print(f"{name}: {what} {change:+.1%}; --update makes this the baseline")
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    The status is 0 if no figure is more than 10% above its baseline, 1 if one is, and 2 for wrong
    usage or if the baseline lacks this version of Python or a scenario.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hot_path",
        description="Count the code executed for a message, and compare with a baseline.",
    )
    parser.add_argument(
        "--update", action="store_true", help="write the figures as the baseline of this Python"
    )
    parser.add_argument(
        "--baseline", type=Path, default=BASELINE, metavar="FILE", help="default: beside the module"
    )
    given = parser.parse_args(arguments)
    try:
        pythons = json.loads(given.baseline.read_text())
    except FileNotFoundError:
        pythons = {}
    baseline = {name: Count(**figures) for name, figures in pythons.get(PYTHON, {}).items()}
    counts = {scenario.name: count(scenario) for scenario in SCENARIOS}
    print(_table(counts, baseline))
    if given.update:
        pythons[PYTHON] = {name: asdict(figures) for name, figures in counts.items()}
        given.baseline.write_text(json.dumps(pythons, indent=2, sort_keys=True) + "\n")
        print(f"Baseline of Python {PYTHON} written to {given.baseline}")
        return 0
    if missing := [name for name in counts if name not in baseline]:
        what = ", ".join(missing) if baseline else "any scenario"
        print(f"Python {PYTHON} has no baseline for {what}: --update makes it", file=sys.stderr)
        return 2
    return _judge(counts, baseline)


if __name__ == "__main__":
    sys.exit(main())
