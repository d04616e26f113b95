"""What the programs under test share: the event loop that they run on, and what they may find."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any


def hide_numpy() -> None:
    """Make numpy as good as not installed; before anything imports it."""
    # None is what the import system takes for "not there"; its type says modules alone.
    sys.modules["numpy"] = None  # type: ignore[assignment]


def run(main: Coroutine[Any, Any, None], loop: str) -> None:
    """Run ``main`` to its end on a new event loop: ``uvloop``, or else asyncio's own."""
    factory = None
    if loop == "uvloop":
        import uvloop  # It is an extra, and the other loop does without.

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)
