"""The results: samples of each round, medians, ratios of each round, and JSON."""

import datetime
import importlib.metadata
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .peers import Peer
from .rows import Row, Target

# The load generator may limit a row if it is busy for more than this share of the time.
BUSY_LIMIT = 0.9


@dataclass(frozen=True)
class Sample:
    """The figures of one program in one round of a row; None if the workload has no such figure.

    Attributes:
        value: the figure in the unit of the row.
        per_cpu_second: messages per second of CPU time of the program under test.
        p50: median round trip in seconds.
        p99: 99th percentile of the round trips in seconds.
        busy: share of the time in which the load generator was busy, 0 to 1.
    """

    value: float
    per_cpu_second: float | None = None
    p50: float | None = None
    p99: float | None = None
    busy: float | None = None


@dataclass(frozen=True)
class Spread:
    """A median with the lowest and the highest value."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


@dataclass
class Outcome:
    """A program's samples in a row, one for each round, and the reason if it failed."""

    samples: list[Sample] = field(default_factory=list)
    failure: str | None = None

    def median(self, quantity: str = "value") -> float | None:
        """Return the median of a field of the samples; None after a failure or without figures."""
        values = [value for sample in self.samples if (value := getattr(sample, quantity))]
        return statistics.median(values) if values and self.failure is None else None


@dataclass
class Results:
    """A whole run: its conditions, and the outcomes by row and peer name."""

    conditions: Mapping[str, object]
    rows: dict[Row, dict[str, Outcome]]

    def row(self, name: str) -> Row | None:
        """Return the measured row of this name, or None."""
        return next((row for row in self.rows if row.name == name), None)

    def ratio(
        self, row: Row, program: str, peer: str, peer_row: Row | None = None
    ) -> Spread | None:
        """Return the ratios of two programs by round; None if one of them has no figures."""
        ours = self.rows[row].get(program)
        theirs = self.rows[peer_row or row].get(peer)
        if ours is None or theirs is None or ours.failure or theirs.failure:
            return None
        pairs = zip(ours.samples, theirs.samples, strict=True)
        return spread([our.value / their.value for our, their in pairs])

    def judge(self, target: Target) -> Spread | None:
        """Return the figure that a target limits; None if this run did not measure it."""
        row, peer_row = self.row(target.row), self.row(target.peer_row or target.row)
        if row is None or peer_row is None:
            return None
        if target.peer is not None:
            return self.ratio(row, target.program, target.peer, peer_row)
        outcome = self.rows[row].get(target.program)
        if outcome is None or outcome.failure:
            return None
        return spread([sample.value for sample in outcome.samples])

    def generator(self, row: Row) -> float | None:
        """Return the highest busy share of the load generator over the programs."""
        shares = [busy for outcome in self.rows[row].values() if (busy := outcome.median("busy"))]
        return max(shares, default=None)

    def failures(self) -> list[str]:
        """Return a line for each failure of a program in a row."""
        return [
            f"{row.name}: {peer}: {outcome.failure}"
            for row, outcomes in self.rows.items()
            for peer, outcome in outcomes.items()
            if outcome.failure
        ]

    def as_json(self) -> dict[str, object]:
        """Return all samples and medians as values that ``json`` can write."""
        return {
            **self.conditions,
            "rows": [
                {
                    **asdict(row),
                    "unit": row.unit,
                    "generator_busy": self.generator(row),
                    "peers": {
                        peer: {"median": outcome.median(), **asdict(outcome)}
                        for peer, outcome in outcomes.items()
                    },
                }
                for row, outcomes in self.rows.items()
            ],
        }


def conditions(peers: Iterable[Peer], options: Mapping[str, object]) -> dict[str, object]:
    """Return date, machine, versions and options of the run."""
    names = {peer.distribution for peer in peers if peer.distribution}
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cpus": os.cpu_count(),
        # Other programs on the machine affect the results.
        "load_average": round(os.getloadavg()[0], 2),
        "versions": {name: _version(name) for name in [*sorted(names), "numpy", "uvloop"]},
        "options": dict(options),
    }


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
