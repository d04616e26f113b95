"""Progress on a terminal and in a log."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.contenders import Plan
from benchmarks.progress import ProgressDisplay, expected_seconds, format_duration
from benchmarks.rows import batches, select_peers, select_rows

PLAN = Plan(rounds=2, seconds=1.0, program_core=None, load_core=None, certificate=Path("none"))
BATCHES = batches(select_rows(["echo-256B", "echo-256B-text", "handshakes"]))
PEERS = select_peers(["ws6455", "picows"])


def screen(terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=120, color_system=None)


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_log_gets_a_line_for_each_batch() -> None:
    console = screen(terminal=False)
    with ProgressDisplay(BATCHES, PEERS, PLAN, console) as display:
        for batch in BATCHES:
            display.begin(batch)
            display.step(batch[0], PEERS[0], 1)
    whole, half = (
        format_duration(sum(expected_seconds(batch, PEERS, PLAN) for batch in ahead))
        for ahead in (BATCHES, BATCHES[1:])
    )
    assert text(console).split("\n")[:2] == [
        f"1/2  {whole} left  echo-256B, echo-256B-text",
        f"2/2  {half} left  handshakes",
    ]


def test_a_terminal_gets_a_bar_that_names_the_turn() -> None:
    console = screen(terminal=True)
    with ProgressDisplay(BATCHES, PEERS, PLAN, console) as display:
        display.begin(BATCHES[0])
        display.step(BATCHES[0][0], PEERS[1], 2)
        display.step(BATCHES[0][1], PEERS[1], 2)
    assert "echo-256B  picows  round 2/2" in text(console)
    assert "echo-256B-text  picows  round 2/2" in text(console)
    assert "1/2" not in text(console)


def test_the_expected_time_is_that_of_those_who_take_part() -> None:
    (deflate,) = batches(select_rows(["echo-256B-deflate"]))
    assert expected_seconds(deflate, select_peers(["picows"]), PLAN) == 0
    one = expected_seconds(deflate, select_peers(["ws6455"]), PLAN)
    three = expected_seconds(deflate, select_peers(["ws6455", "aiohttp", "picows"]), PLAN)
    assert three == pytest.approx(2 * one)
    assert one > 0


def test_a_duration_is_in_minutes_and_seconds() -> None:
    assert [format_duration(seconds) for seconds in (0, 59.6, 125)] == ["0:00", "1:00", "2:05"]
