"""The tables and files: misses, failures and rows bounded by the generator are marked."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from benchmarks import plot, report
from benchmarks.results import Outcome, Results, Sample, Spread
from benchmarks.rows import MAIN, ROWS, Target, select_rows
from benchmarks.tables import Table, is_met, tables

Make = Callable[..., Results]


def titled(results: Results, title: str) -> Table:
    (table,) = [table for table in tables(results) if table.title == title]
    return table


def test_targets_are_judged_by_their_medians(results: Make) -> None:
    figures = {"ws6455": [97, 98, 99], "picows": [100] * 3, "aiohttp": [99] * 3}
    lines = titled(results({"echo-256B": figures}), "Targets").lines
    assert lines == [
        ["echo-256B", "ws6455", "aiohttp", "at least 1.00", "0.990 (0.980 to 1.000)", "MISSED"],
        ["echo-256B", "ws6455", "picows", "at least 0.97", "0.980 (0.970 to 0.990)", "met"],
    ]


def test_memory_is_to_be_at_most(results: Make) -> None:
    found = results({"idle": {"ws6455": [8192]}, "idle-deflate": {"ws6455": [10241]}})
    verdicts = {line[0]: line[-1] for line in titled(found, "Targets").lines}
    assert verdicts == {"idle": "met", "idle-deflate": "MISSED"}


def test_a_target_between_rows_names_the_other_row(results: Make) -> None:
    found = results({"client-16B": {"ws6455": [100]}, "client-16B-text": {"ws6455": [94]}})
    (line,) = titled(found, "Targets").lines
    assert line[2:] == ["ws6455 in client-16B", "at least 0.95", "0.940 (0.940 to 0.940)", "MISSED"]


@pytest.mark.parametrize(
    ("target", "median", "met"),
    [
        (Target("handshakes", "ws6455", 2.0, "websockets"), 2.0, True),
        (Target("handshakes", "ws6455", 2.0, "websockets"), 1.999, False),
        (Target("idle", "ws6455", 8192), 8192, True),
        (Target("idle", "ws6455", 8192), 8193, False),
    ],
)
def test_the_bound_itself_is_met(target: Target, median: float, met: bool) -> None:
    assert is_met(target, Spread(median, 0, 1e6)) is met


def test_figures_stand_in_the_order_of_the_peers(results: Make) -> None:
    found = results(
        {
            "echo-256B": {"raw": [20_004], "ws6455": [15_961], "picows": "refused"},
            "echo-8KiB": {"ws6455": [99.46], "ws6455+speed": [1_234_567]},
        }
    )
    table = titled(found, "Echo server: asyncio, binary")
    assert table.columns == ["row", "ws6455", "ws6455+speed", "picows", "raw", "generator busy"]
    assert table.lines == [
        ["echo-256B", "16,000", "–", "failed", "20,000", "50%"],
        ["echo-8KiB", "99.5", "1,230,000", "–", "–", "50%"],
    ]


def test_imports_are_in_milliseconds(results: Make) -> None:
    table = titled(results({"import": {"ws6455": [0.0412]}}), "Import")
    assert "milliseconds; less is better" in table.note
    assert table.lines[0][1] == "41.2"


def test_a_row_bounded_by_the_generator_is_marked() -> None:
    found = Results({}, {})
    for row, busy in zip(select_rows(["echo-16B", "echo-256B"]), (0.9, 0.91), strict=True):
        found.rows[row] = {
            "raw": Outcome([Sample(9.0, busy=busy)]),
            "ws6455": Outcome([Sample(3.0, busy=0.2)]),
        }
    table = titled(found, "Echo server: asyncio, binary")
    assert [line[0] for line in table.lines] == ["echo-16B", "echo-256B †"]
    assert "bounded by the generator" in table.note


def test_ratios_are_those_of_either_program(results: Make) -> None:
    found = results({"echo-8KiB": {"ws6455": [50], "ws6455+speed": [150], "raw": [100]}})
    assert titled(found, "ws6455 against").lines == [["echo-8KiB", "0.50 (0.50 to 0.50)"]]
    assert titled(found, "ws6455+speed against").lines == [["echo-8KiB", "1.50 (1.50 to 1.50)"]]


def test_latency_is_in_microseconds(results: Make) -> None:
    found = results({"echo-256B": {"ws6455": [10], "picows": "refused"}})
    assert titled(found, "Latency").lines == [["echo-256B", "50 / 1,000", "failed"]]


def test_what_was_done_by_second_of_cpu_time(results: Make) -> None:
    found = results({"echo-256B": {"ws6455": [1000]}, "idle": {"ws6455": [1000]}})
    assert titled(found, "Per second of CPU time").lines == [["echo-256B", "1,250"]]


def test_markdown_marks_misses_and_names_failures(results: Make) -> None:
    text = report.markdown(
        results({"handshakes": {"ws6455": [10], "websockets": [9], "picows": "refused"}})
    )
    assert "| handshakes | ws6455 | websockets | at least 2.00 | 1.111 (1.111 to 1.111) |" in text
    assert "| **MISSED** |" in text
    assert "## Failed\n\n- handshakes: picows: refused\n" in text
    assert "`python -m benchmarks`" in text
    assert "uvloop absent" in text
    assert "Load average before the run: 0.25." in text


def test_every_line_of_a_markdown_table_has_as_many_cells(results: Make) -> None:
    text = report.markdown(
        results({"echo-8KiB": {"ws6455": [50], "raw": [100]}, "idle": {"ws6455": [9], "raw": [3]}})
    )
    blocks = [block.split("\n") for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 6
    for block in blocks:
        assert len({line.count("|") for line in block}) == 1


def test_the_terminal_shows_every_digit_however_narrow(results: Make) -> None:
    figures = {"ws6455": [123_456], "websockets": "refused", "aiohttp": [98_765]}
    for width in (200, 60):
        console = Console(file=io.StringIO(), width=width)
        report.show(results({"echo-32x64B": figures}), console)
        assert isinstance(console.file, io.StringIO)
        text = console.file.getvalue()
        assert "…" not in text
        assert "123,000" in text
        assert "MISSED" in text
        assert "echo-32x64B: websockets: refused" in text


def test_the_files_are_written_whole_or_not_at_all(
    results: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report.write(results({"idle": {"ws6455": [1111]}}), tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert set(before) == {"results.json", "results.md", "results.svg"}
    assert json.loads(before["results.json"])["rows"][0]["peers"]["ws6455"]["median"] == 1111

    def full(self: Path, text: str, encoding: str) -> None:
        if self.name.startswith(".results.svg"):
            raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="no space left"):
        report.write(results({"idle": {"ws6455": [2222]}}), tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def drawn(results: Results) -> list[str]:
    """Return the texts of the plot, from the comment before each path that draws a text."""
    text = plot.svg(results)
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return [line.strip()[5:-4] for line in text.split("\n") if line.strip().startswith("<!-- ")]


def test_the_plot_has_a_panel_for_each_main_row(results: Make) -> None:
    found = results(
        {
            "echo-256B": {"ws6455": [15_961], "picows": "refused", "raw": [20_004]},
            "echo-256B-text": {"ws6455": [15_961]},
            "idle": {"ws6455": [7168]},
        }
    )
    texts = drawn(found)
    assert "Echo 256 B" in texts
    assert "16,000" in texts
    assert "Memory per idle connection" in texts
    assert "7.0 KiB" in texts
    assert "picows" not in texts
    assert "raw" not in texts
    assert texts.count("ws6455") == 2


def test_a_plot_of_no_main_row_is_still_a_plot(results: Make) -> None:
    assert "ws6455" not in drawn(results({"echo-256B-text": {"ws6455": [15_961]}}))


def test_the_same_results_give_the_same_plot(results: Make) -> None:
    figures = {"echo-256B": {"ws6455": [15_961]}}
    assert plot.svg(results(figures)) == plot.svg(results(figures))


def test_the_main_rows_come_first_when_all_were_measured(results: Make) -> None:
    figures = {name: {"ws6455": [float(place)]} for place, name in enumerate(MAIN, 100)}
    table = tables(results(figures))[0]
    assert (table.title, table.columns) == ("Main rows", ["", "ws6455"])
    assert [line[1] for line in table.lines] == [str(100 + place) for place in range(len(MAIN))]
    del figures["idle"]
    assert tables(results(figures))[0].title != "Main rows"


def test_every_panel_is_a_row() -> None:
    assert set(MAIN) <= {row.name for row in ROWS}
