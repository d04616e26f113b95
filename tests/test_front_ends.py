"""The two front ends share what they have in common by standing on it, not by repeating it."""

from collections.abc import Iterator
from pathlib import Path

import ws6455

PACKAGE = Path(ws6455.__file__).parent
# Shorter lines, such as a bracket or `return None`, say nothing of their own.
MIN_LENGTH = 20
# What must be alike, for the most part imports and the public signatures, comes to no more.
MOST_SHARED = 0.20


def lines_of(front_end: str) -> list[str]:
    """List the lines of a front end that are long enough to count, without their indent."""
    stripped = (line.strip() for source in sources(front_end) for line in source.splitlines())
    return [line for line in stripped if len(line) >= MIN_LENGTH]


def sources(front_end: str) -> Iterator[str]:
    for path in sorted((PACKAGE / front_end).rglob("*.py")):
        yield path.read_text()


def shared_part(one: list[str], other: list[str]) -> float:
    known = set(other)
    return sum(line in known for line in one) / len(one)


def test_the_front_ends_do_not_repeat_each_other() -> None:
    aio, sync = lines_of("aio"), lines_of("sync")
    in_sync, in_aio = shared_part(sync, aio), shared_part(aio, sync)
    figures = f"{in_sync:.1%} of sync's lines stand in aio, {in_aio:.1%} of aio's in sync"
    assert max(in_sync, in_aio) <= MOST_SHARED, figures


def test_what_is_repeated_is_counted() -> None:
    one = ["a line that is long enough", "another line, of its own"]
    assert shared_part(one, one) == 1
    assert shared_part(one, one[:1]) == 0.5
    assert shared_part(one * 2, ["nothing of the kind"]) == 0
