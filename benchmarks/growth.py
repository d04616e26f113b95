"""Cost against size and number: ``python -m benchmarks.growth``.

On each curve the time must be linear, and the memory must be that of the payload plus a constant.
The command writes ``growth.json`` and ``growth.svg``, prints a table, and exits with status 1 if a
curve fails.
"""

import argparse
import importlib.util
import itertools
import json
import math
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from .growth_curves import KIB, MIB, Curve, Plan, Point, connection_limit, measure

__all__ = ["Verdict", "exponent", "judge", "main", "worst_step"]

RESULTS = Path(__file__).parent / "results"
# The slope on a log-log scale: 1 for linear time, up to 1.15 for n log n over these ranges.
MAX_EXPONENT = 1.15

QUICK = Plan(
    size=4 * MIB, connections=1000, fragments=4096, dribbled=4 * KIB, rounds=1, seconds=0.02
)


@dataclass(frozen=True)
class Verdict:
    """The verdict on a curve.

    Attributes:
        exponent: exponent of the growth of time over the upper half of the range.
        worst_step: greatest growth of time per unit between adjacent points of that half.
        memory: bytes per byte of payload, or per connection, at the last point.
        complaints: descriptions of failed requirements; empty if the curve passes.
    """

    exponent: float
    worst_step: float
    memory: float
    complaints: Sequence[str]


def _upper_half(points: Sequence[Point]) -> Sequence[Point]:
    """Return the upper half, where constant costs no longer hide the growth."""
    return points[len(points) // 2 :]


def exponent(counts: Sequence[float], costs: Sequence[float]) -> float:
    """Return the slope of the best-fitting line on a log-log scale.

    Args:
        counts: at least two counts, each above 0.
        costs: one cost for each count; a cost of 0 or less counts as the smallest float.
    """
    least = sys.float_info.min
    logs = [math.log(max(cost, least)) for cost in costs]
    return statistics.linear_regression([math.log(count) for count in counts], logs).slope


def worst_step(points: Sequence[Point]) -> float:
    """Return the greatest ratio of the time per unit between adjacent points."""
    rates = [point.seconds / point.count for point in points]
    return max(after / before for before, after in itertools.pairwise(rates))


def judge(curve: Curve) -> Verdict:
    """Return the verdict on a curve of at least three points."""
    upper = _upper_half(curve.points)
    counts = [point.count for point in upper]
    complaints = []
    time_exponent = exponent(counts, [point.seconds for point in upper])
    if time_exponent > MAX_EXPONENT:
        complaints.append(f"time grows with the power of {time_exponent:.2f}")
    last = curve.points[-1]
    if curve.copies is None:
        memory = last.memory / last.count
        memory_exponent = exponent(counts, [point.memory for point in upper])
        if memory_exponent > MAX_EXPONENT:
            complaints.append(f"memory grows with the power of {memory_exponent:.2f}")
    else:
        memory = last.memory / last.payload
        excess = [
            point
            for point in curve.points
            if point.memory > curve.copies * point.payload + curve.constant
        ]
        if excess:
            worst = max(excess, key=lambda point: point.memory / point.payload)
            complaints.append(
                f"memory is {worst.memory / worst.payload:.2f} x the payload of "
                f"{worst.payload:,} bytes, above {curve.copies:g} x + {curve.constant >> 10} KiB"
            )
    return Verdict(time_exponent, worst_step(upper), memory, complaints)


def _line(curve: Curve, verdict: Verdict) -> str:
    last = curve.points[-1]
    if curve.copies is None:
        memory = f"{verdict.memory / 1024:.1f} KiB each"
    else:
        memory = f"{verdict.memory:.2f} x payload"
    return (
        f"{curve.panel + ': ' + curve.name:36}{last.count:>11,}"
        f"{last.seconds / last.count * 1e9:>12,.1f} ns{verdict.exponent:>10.2f}"
        f"{verdict.worst_step:>12.2f}  {memory:>16}  {'; '.join(verdict.complaints) or 'ok'}"
    )


_HEADING = (
    f"{'':36}{'up to':>11}{'time per unit':>15}{'exponent':>10}{'worst step':>12}  {'memory':>16}"
)


def _write(folder: Path, curves: Sequence[Curve], verdicts: Sequence[Verdict]) -> None:
    """Write the results and the plot."""
    from .growth_plot import draw

    folder.mkdir(parents=True, exist_ok=True)
    found = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "curves": [
            asdict(curve) | {"verdict": asdict(verdict)}
            for curve, verdict in zip(curves, verdicts, strict=True)
        ],
    }
    (folder / "growth.json").write_text(json.dumps(found, indent=1) + "\n")
    draw(curves, folder / "growth.svg")
    print(f"\nWritten: {folder / 'growth.json'}, {folder / 'growth.svg'}")


def main(arguments: Sequence[str] | None = None, plan: Plan | None = None) -> int:
    """Run the command line and return the exit status.

    The status is 0 if every curve passes, 1 if one fails or cannot be measured, 2 for wrong usage
    or if matplotlib is not installed, 130 after an interrupt.

    Args:
        arguments: replaces the arguments of the process.
        plan: replaces the plan given by the arguments.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth",
        description="Measure the server's cost as messages, connections and fragments grow.",
    )
    parser.add_argument("--quick", action="store_true", help="shorter curves, in half a minute")
    parser.add_argument(
        "--output", type=Path, default=RESULTS, metavar="FOLDER", help="default: %(default)s"
    )
    given = parser.parse_args(arguments)
    if importlib.util.find_spec("matplotlib") is None:
        print("matplotlib is not installed: pip install matplotlib", file=sys.stderr)
        return 2
    plan = plan or (QUICK if given.quick else Plan())
    if plan.connections > (limit := connection_limit()):
        print(f"Connections limited to {limit} by the hard limit of open files", file=sys.stderr)
        plan = replace(plan, connections=limit)
    curves, verdicts = [], []
    print(_HEADING, flush=True)
    try:
        for curve in measure(plan):
            curves.append(curve)
            verdicts.append(judge(curve))
            print(_line(curve, verdicts[-1]), flush=True)
    except KeyboardInterrupt:
        print("Interrupted; nothing is written.", file=sys.stderr)
        return 130
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"Could not be measured: {error}", file=sys.stderr)
        return 1
    _write(given.output, curves, verdicts)
    return 1 if any(verdict.complaints for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
