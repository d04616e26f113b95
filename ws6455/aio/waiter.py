"""What a receiving task waits for: it goes on within the very read that brings its message.

An :class:`asyncio.Future` would go through the loop's queue: one more turn of the loop for every
message on a quiet connection, and six calls in Python on the stock loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import types
from collections.abc import Callable, Generator
from typing import Any

__all__ = ["Waiter"]


class Waiter:
    """A future without a result that wakes its task at once, and can be waited for again.

    One task at a time waits for it. It is what :class:`asyncio.Task` asks of a future, no more.

    Args:
        loop: the event loop.
    """

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_context", "_loop", "callback")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._asyncio_future_blocking = False  # by this a task knows a future
        self._loop = loop  # and by this, without a get_loop(), that it is of the same loop
        # Makes the task go on; None unless one waits.
        self.callback: Callable[[Waiter], object] | None = None
        self._context: contextvars.Context
        self._cancelled: asyncio.CancelledError | None = None

    @types.coroutine
    def wait(self) -> Generator[Waiter, None, None]:
        """Wait until the task is woken.

        Raises:
            CancelledError: if the task was cancelled meanwhile.
        """
        self._asyncio_future_blocking = True
        yield self

    def wake(self) -> bool:
        """Let the task go on, now; within another task, which cannot be left, soon.

        Returns:
            Whether one waited.
        """
        callback = self.callback
        if callback is None:
            return False
        self.callback = None
        try:
            self._context.run(callback, self)
        except RuntimeError:
            # Another task is running, or the context is entered: seen before anything is done.
            self._loop.call_soon(callback, self, context=self._context)
        return True

    def wake_soon(self) -> None:
        """Let the task go on in the next turn of the loop."""
        callback, self.callback = self.callback, None
        if callback is not None:
            self._loop.call_soon(callback, self, context=self._context)

    # What a task calls ------------------------------------------------------------------

    def add_done_callback(
        self, callback: Callable[[Waiter], object], *, context: contextvars.Context
    ) -> None:
        """Take what makes the task go on."""
        self.callback = callback
        self._context = context

    def cancel(self, msg: Any = None) -> bool:
        """Make the task go on with an error; False if it is about to go on anyhow."""
        if self.callback is None:
            return False
        self._cancelled = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        self.wake_soon()
        return True

    def result(self) -> None:
        """Return to the task, or raise in it.

        Raises:
            CancelledError: if the task was cancelled while it waited.
        """
        if self._cancelled is not None:
            cancelled, self._cancelled = self._cancelled, None
            raise cancelled
