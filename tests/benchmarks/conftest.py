"""Fixtures for the tests of the runner: the compiler and made-up results."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from benchmarks.results import Outcome, Results, Sample
from benchmarks.rows import select_rows

Figures = Mapping[str, Mapping[str, Sequence[float] | str]]
Make = Callable[[Figures], Results]


@pytest.fixture
def compiler(program: Callable[[str, str], str]) -> None:
    """Require a compiler for the load generator."""
    program("cc", "gcc")


@pytest.fixture
def results() -> Make:
    """Return a function that makes results from values by row and peer; a str is a failure."""

    def make(figures: Figures) -> Results:
        rows = {}
        for name, peers in figures.items():
            (row,) = select_rows([name])
            rows[row] = {
                peer: Outcome(failure=values)
                if isinstance(values, str)
                else Outcome([Sample(value, value * 1.25, 50e-6, 1e-3, 0.5) for value in values])
                for peer, values in peers.items()
            }
        options = {"command": "python -m benchmarks", "rounds": 3, "seconds": 0.5, "placement": ""}
        conditions = {
            "date": "2026-11-21T12:00:00+00:00",
            "python": "CPython 3.11.7",
            "platform": "Linux",
            "cpu": "a CPU",
            "cpus": 2,
            "load_average": 0.25,
            "versions": {"ws6455": "0.1.0", "uvloop": None},
            "options": options,
        }
        return Results(conditions, rows)

    return make
