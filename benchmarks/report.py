"""The report of a run: files in a folder, and tables on the terminal."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console, JustifyMethod
from rich.table import Table as Grid

from . import plot
from .results import Results
from .tables import MISSED, Table, tables

JSON = "results.json"
MARKDOWN = "results.md"
SVG = "results.svg"
FILES = (JSON, MARKDOWN, SVG)


def write(results: Results, folder: Path) -> None:
    """Write all three files into ``folder``; each is replaced atomically.

    Raises:
        OSError: the files cannot be written.
    """
    texts = {
        JSON: json.dumps(results.as_json(), indent=1) + "\n",
        MARKDOWN: markdown(results),
        SVG: plot.svg(results),
    }
    drafts = {name: folder / f".{name}.part" for name in texts}
    try:
        for name, text in texts.items():
            drafts[name].write_text(text, encoding="utf-8")
        for name, draft in drafts.items():
            os.replace(draft, folder / name)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def markdown(results: Results) -> str:
    """Format the tables in GitHub's Markdown; secondary tables are folded."""
    parts = ["# Side by side", _conditions(results.conditions)]
    for table in tables(results):
        body = f"{table.note}\n\n{_grid(table)}"
        if table.aside:
            fold = f"<details><summary>{table.title}</summary>"
            parts.append(f"{fold}\n\n{body}\n\n</details>")
        else:
            parts.append(f"## {table.title}\n\n{body}")
    failures = results.failures()
    if failures:
        parts.append("## Failed\n\n" + "\n".join(f"- {line}" for line in failures))
    return "\n\n".join(parts) + "\n"


def _grid(table: Table) -> str:
    """Format a table; the first column is left-aligned, the others are right-aligned."""
    rule = ["---"] + ["---:"] * (len(table.columns) - 1)
    lines = [table.columns, rule, *table.lines]
    return "\n".join(f"| {' | '.join(map(_emphasised, line))} |" for line in lines)


def _emphasised(cell: str) -> str:
    return f"**{cell}**" if cell == MISSED else cell


def _conditions(conditions: Mapping[str, object]) -> str:
    """Describe date, machine, versions and options of the run in a few lines."""
    versions, options = conditions["versions"], conditions["options"]
    assert isinstance(versions, dict)
    assert isinstance(options, dict)
    named = ", ".join(f"{name} {version or 'absent'}" for name, version in versions.items())
    return (
        f"Made by `{options['command']}` on {conditions['date']}: {conditions['python']},"
        f" {conditions['cpus']} x {conditions['cpu']}, {conditions['platform']}.\n"
        f"{options['rounds']} rounds of {options['seconds']:g} s. {options['placement']}"
        f" Load average before the run: {conditions['load_average']}.\n"
        f"{named}."
    )


def show(results: Results, console: Console) -> None:
    """Print the tables and the failures."""
    for table in tables(results):
        grid = Grid(title=table.title, caption=table.note, title_justify="left", box=None)
        for number, column in enumerate(table.columns):
            side: JustifyMethod = "right" if number else "left"
            # A narrow terminal must not cut off digits.
            grid.add_column(column, justify=side, no_wrap=not number, overflow="fold")
        for line in table.lines:
            grid.add_row(*line, style="bold red" if MISSED in line else None)
        console.print(grid, "", markup=False, highlight=False)
    for failure in results.failures():
        console.print(f"Failed: {failure}", style="bold red", markup=False, highlight=False)
