"""The cases of the Autobahn test suite: the full list, selection by pattern, shares for jobs."""

import fnmatch
from collections.abc import Sequence

SECTIONS = {
    1: "Framing",
    2: "Pings and pongs",
    3: "Reserved bits",
    4: "Opcodes",
    5: "Fragmentation",
    6: "UTF-8 handling",
    7: "Close handling",
    9: "Limits and performance",
    10: "Auto-fragmentation",
    12: "Compression, payloads",
    13: "Compression, parameters",
}

# The number of cases in each subsection of release 25.10.1, numbered from 1 without gaps.
_SUBSECTIONS = """
    1.1:8 1.2:8 2:11 3:7 4.1:5 4.2:5 5:20
    6.1:3 6.2:4 6.3:2 6.4:4 6.5:5 6.6:11 6.7:4 6.8:2 6.9:4 6.10:3 6.11:5 6.12:8 6.13:5 6.14:10
    6.15:1 6.16:3 6.17:5 6.18:5 6.19:5 6.20:7 6.21:8 6.22:34 6.23:7
    7.1:6 7.3:6 7.5:1 7.7:13 7.9:9 7.13:2
    9.1:6 9.2:6 9.3:9 9.4:9 9.5:6 9.6:6 9.7:6 9.8:6 10.1:1
    12.1:18 12.2:18 12.3:18 12.4:18 12.5:18
    13.1:18 13.2:18 13.3:18 13.4:18 13.5:18 13.6:18 13.7:18
"""

CASES = tuple(
    f"{subsection}.{number}"
    for subsection, count in (entry.split(":") for entry in _SUBSECTIONS.split())
    for number in range(1, int(count) + 1)
)


def section(case: str) -> int:
    """Return the number of the section that ``case`` belongs to."""
    return int(case.partition(".")[0])


def select(patterns: Sequence[str]) -> list[str]:
    """Return the cases that match one of ``patterns`` (``6.*``, ``7.1.1``), in the suite's order.

    Raises:
        ValueError: a pattern matches no case.

    """
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(case, pattern) for case in CASES):
            raise ValueError(f"no case matches {pattern!r}")
    return [case for case in CASES if any(fnmatch.fnmatchcase(case, p) for p in patterns)]


def split(cases: Sequence[str], jobs: int) -> list[Sequence[str]]:
    """Split ``cases`` into at most ``jobs`` jobs, none of them empty.

    Adjacent cases take about the same time, so distributing them in turn balances the jobs.
    """
    return [cases[job::jobs] for job in range(min(jobs, len(cases)))]
