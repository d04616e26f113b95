"""The plot of the growth curves: small multiples, time above and memory below."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from .growth_curves import Curve

__all__ = ["draw"]

# Grey and four hues that are visible on white and on black pages.
_GREY = "#808892"
_HUES = ("#2f81f7", "#e0803a", "#2fa866", "#c05fd0")
_STYLE: Any = {
    "svg.hashsalt": "growth",  # the same drawing for the same figures
    "font.size": 9.5,
    "font.family": "DejaVu Sans",
    "text.color": _GREY,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _GREY,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
}


def _bytes(size: float, _: object = None) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024 or unit == "MiB":
            break
        size /= 1024
    return f"{size:g} {unit}"


def _number(count: float, _: object = None) -> str:
    return f"{count / 1000:g}k" if count >= 1000 else f"{count:g}"


def _seconds(seconds: float, _: object = None) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def _guide(axes: Axes, curve: Curve, last: float, label: str) -> None:
    """Draw a linear guide through `last` at the curve's last point; keep the lower axis limit."""
    low, high = axes.get_ylim()
    first, end = curve.points[0].count, curve.points[-1].count
    ends = [last * first / end, last]
    axes.plot([first, end], ends, "--", color=_GREY, linewidth=1, zorder=1, label=label)
    axes.set_ylim(low, max(high, last))


def _panel(time: Axes, memory: Axes, curves: Sequence[Curve]) -> None:
    time.set_xscale("log", base=4 if curves[0].unit == "byte" else 10)
    time.set_yscale("log")
    memory.set_yscale("log", base=2)
    for curve, hue in zip(curves, _HUES, strict=False):
        counts = [point.count for point in curve.points]
        style: dict[str, Any] = {
            "color": hue,
            "linewidth": 1.6,
            "markersize": 3.5,
            "label": curve.name,
        }
        time.plot(counts, [point.seconds for point in curve.points], "o-", **style)
        # A logarithmic scale cannot show points without measurable memory.
        taken = [(point.count, point.memory) for point in curve.points if point.memory > 0]
        memory.plot(*zip(*taken, strict=True), "o-", **style)
    longest = max(curves, key=lambda curve: curve.points[-1].seconds)
    _guide(time, longest, longest.points[-1].seconds, "linear")
    largest = max(curves, key=lambda curve: curve.points[-1].memory)
    last = largest.points[-1]
    if last.payload:
        _guide(memory, largest, last.payload, "payload")
    else:
        _guide(memory, largest, last.memory, "linear")
    sized = curves[0].unit == "byte"
    step = 10 if not sized else 16 if last.count <= 1 << 20 else 64
    for axes in (time, memory):
        axes.patch.set_alpha(0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=_GREY, alpha=0.25, linewidth=0.6)
        axes.xaxis.set_major_locator(LogLocator(base=step))
        axes.xaxis.set_major_formatter(FuncFormatter(_bytes if sized else _number))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_locator(NullLocator())
    time.yaxis.set_major_formatter(FuncFormatter(_seconds))
    memory.yaxis.set_major_locator(LogLocator(base=16))
    memory.yaxis.set_major_formatter(FuncFormatter(_bytes))
    time.set_title(curves[0].panel, color=_GREY, fontsize=11)
    time.legend(frameon=False, fontsize=8.5)
    guides = memory.get_lines()[-1:]
    memory.legend(guides, [str(guides[0].get_label())], frameon=False, fontsize=8.5)


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Draw the curves into an SVG file for white and for black pages.

    Args:
        curves: the curves; those of one panel have the same unit.
        path: path of the file.
    """
    panels: dict[str, list[Curve]] = {}
    for curve in curves:
        panels.setdefault(curve.panel, []).append(curve)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(3.4 * len(panels), 6.2), layout="constrained")
        grid = figure.subplots(2, len(panels), squeeze=False, sharex="col")
        for column, members in enumerate(panels.values()):
            _panel(grid[0][column], grid[1][column], members)
        grid[0][0].set_ylabel("CPU time")
        grid[1][0].set_ylabel("memory above the rest")
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None})
