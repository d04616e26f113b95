"""The plot in the README: a panel for each main row, a bar for each program, as SVG."""

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from .peers import PEERS
from .results import Results
from .rows import MAIN, PURE, SPEED, Row
from .tables import figure

# Colours that are visible on GitHub's light and dark pages; the background is transparent.
_INK = "#6e7781"
_OURS = {PURE: "#2f81f7", SPEED: "#1f9e8f"}
_PEER = "#a9a39b"
_LIMIT = "#d29922"

_COLUMNS = 3
_MAX_BARS = len(PEERS) - 1  # Bars have the same thickness in every panel.
_STYLE: dict[RcKeyType, object] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "svg.hashsalt": "ws6455",  # The same results give the same file.
}


def svg(results: Results) -> str:
    """Draw the main rows that have at least one figure."""
    rows = [row for name in MAIN if (row := results.row(name)) and _bars(results, row)]
    lines = max(1, -(-len(rows) // _COLUMNS))
    with mpl.rc_context(_STYLE):
        drawing = Figure(figsize=(10.5, 0.7 + 1.95 * lines))
        drawing.set_layout_engine("constrained", hspace=0.08, wspace=0.04, h_pad=0.06)
        axes = list(drawing.subplots(lines, _COLUMNS, squeeze=False).flat)
        for axis in axes:
            axis.axis("off")
        for row, axis in zip(rows, axes, strict=False):
            _panel(axis, results, row)
        drawing.suptitle(_title(results), fontsize=9.5, ha="left", x=0.01)
        file = io.StringIO()
        drawing.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return file.getvalue()


def _title(results: Results) -> str:
    options = results.conditions["options"]
    assert isinstance(options, dict)
    return (
        "One program on one core, per second: longer is better, save for memory. "
        f"Medians of {options['rounds']} rounds, {results.conditions['python']}.\n"
        "Dashed: canned answers from a bare asyncio protocol, which does not look at what comes."
    )


def _bars(results: Results, row: Row) -> list[tuple[str, float]]:
    """Return the programs that have a figure, in the order of the table, without the limit."""
    outcomes = results.rows[row]
    return [
        (peer.name, value)
        for peer in PEERS
        if peer.name in outcomes and peer.name != "raw" and (value := outcomes[peer.name].median())
    ]


def _panel(axis: Axes, results: Results, row: Row) -> None:
    """Draw the bars of a row, scaled to the longest, with the figure beside each bar."""
    bars = _bars(results, row)
    limit = results.rows[row]["raw"].median() if "raw" in results.rows[row] else None
    names: Sequence[str] = [name for name, _ in bars]
    values = [value for _, value in bars]
    longest = max([*values, limit or 0])
    axis.axis("on")
    axis.barh(names, values, height=0.72, color=[_OURS.get(name, _PEER) for name in names])
    for position, value in enumerate(values):
        text = f"{value / 1024:.1f} KiB" if not row.is_rate else figure(row, value)
        axis.text(longest * 1.33, position, text, va="center", ha="right", fontsize=8)
    if limit is not None:
        axis.vlines(limit, -0.5, len(bars) - 0.5, color=_LIMIT, linestyle="--", linewidth=1.2)
    axis.set_xlim(0, longest * 1.33)
    axis.set_ylim(_MAX_BARS - 0.5, -0.5)
    axis.set_title(MAIN[row.name], fontsize=10, fontweight="bold", loc="left")
    axis.set_xticks([])
    axis.tick_params(axis="y", length=0)
    for side in axis.spines.values():
        side.set_visible(False)
