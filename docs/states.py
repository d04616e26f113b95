"""Draws the states of a connection in docs/architecture.md: ``python -m docs.states``.

The drawing is a Mermaid diagram of the table `STEPS`. It stands between two markers in the page,
and the command writes it anew.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ws6455.protocol.states import CLOSED, CLOSING, CONNECTING, OPEN, STEPS, State

__all__ = ["END", "LABELS", "PAGE", "START", "drawing", "updated"]

PAGE = Path(__file__).parent / "architecture.md"
START = "<!-- Written by python -m docs.states -->\n"
END = "<!-- End of the drawing -->\n"

# The event that causes each step.
LABELS = {
    (CONNECTING, OPEN): "response 101 sent or received",
    (CONNECTING, CLOSED): "end of the stream",
    (OPEN, CLOSING): "Close frame sent",
    (OPEN, CLOSED): "end of the stream",
    (CLOSING, CLOSED): "end of the stream",
}

Steps = Mapping[State, Sequence[State]]


def drawing(steps: Steps = STEPS) -> str:
    """Return the Mermaid diagram of a table of steps.

    Args:
        steps: the states that may follow each state.
    """
    return "".join(f"{line}\n" for line in ("```mermaid", *_lines(steps), "```"))


def _lines(steps: Steps) -> Iterator[str]:
    yield "stateDiagram-v2"
    followers = {after for afters in steps.values() for after in afters}
    for state, afters in steps.items():
        if state not in followers:
            yield f"    [*] --> {state.name}"
        for after in afters:
            label = LABELS.get((state, after))
            yield f"    {state.name} --> {after.name}" + (f": {label}" if label else "")
        if not afters:
            yield f"    {state.name} --> [*]"


def updated(page: str, steps: Steps = STEPS) -> str:
    """Return a page with the drawing between the markers.

    Args:
        page: the page's text.
        steps: see :func:`drawing`.

    Raises:
        ValueError: if a marker is missing.
    """
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError("the markers of the drawing are missing")
    return before + start + drawing(steps) + end + after


def main() -> int:
    """Write the drawing into the page and return the exit status."""
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
