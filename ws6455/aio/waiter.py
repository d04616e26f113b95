"""A reusable waiter that resumes its task synchronously.

A receiving task thus handles a message in the turn of the loop that reads it. With an
:class:`asyncio.Future`, every message on a quiet connection would take one more turn of the loop,
and six calls in Python on the stock loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import types
from collections.abc import Callable, Generator
from typing import Any

__all__ = ["Waiter"]


class Waiter:
    """A future without a result that resumes its task at once and can be awaited again.

    One task at a time may wait. Only the methods that :class:`asyncio.Task` calls are implemented.

    Args:
        loop: the event loop.
    """

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_context", "_loop", "callback")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._asyncio_future_blocking = False  # marks a future for asyncio.Task
        self._loop = loop  # read by asyncio.Task, since there is no get_loop()
        # Resumes the task; None if no task waits.
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
        """Resume the task now, or in the next turn of the loop if another task is running.

        Returns:
            True if a task was waiting.
        """
        callback = self.callback
        if callback is None:
            return False
        self.callback = None
        try:
            self._context.run(callback, self)
        except RuntimeError:
            # Another task is running, or the context is in use; nothing has been run yet.
            self._loop.call_soon(callback, self, context=self._context)
        return True

    def wake_soon(self) -> None:
        """Resume the task in the next turn of the loop."""
        callback, self.callback = self.callback, None
        if callback is not None:
            self._loop.call_soon(callback, self, context=self._context)

    # Called by asyncio.Task -------------------------------------------------------------

    def add_done_callback(
        self, callback: Callable[[Waiter], object], *, context: contextvars.Context
    ) -> None:
        """Store the callback that resumes the task."""
        self.callback = callback
        self._context = context

    def cancel(self, msg: Any = None) -> bool:
        """Resume the task with CancelledError; return False if it is being resumed already."""
        if self.callback is None:
            return False
        self._cancelled = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        self.wake_soon()
        return True

    def result(self) -> None:
        """Return None as the result of the wait.

        Raises:
            CancelledError: if the task was cancelled while it waited.
        """
        cancelled, self._cancelled = self._cancelled, None
        try:
            if cancelled is not None:
                raise cancelled
        finally:
            del cancelled  # its traceback refers to this frame
