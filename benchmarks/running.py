"""Set-up of the programs under test: the event loop and the visibility of numpy."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any


def hide_numpy() -> None:
    """Make ``import numpy`` fail as if it were not installed; call this before any import of it."""
    # The import system treats None as missing; the type of sys.modules does not allow it.
    sys.modules["numpy"] = None  # type: ignore[assignment]


def run(main: Coroutine[Any, Any, None], loop: str) -> None:
    """Run ``main`` on a new event loop: uvloop's if ``loop`` is ``uvloop``, otherwise asyncio's."""
    factory = None
    if loop == "uvloop":
        import uvloop  # Imported late, since it is an extra.

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)
