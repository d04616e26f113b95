"""Queue of received messages: whole ones, fragments of an unfinished one, and bounds on both.

RFC 6455 §5.4 (fragmentation).
"""

from __future__ import annotations

import functools
from collections import deque

from ..framing.frames import LARGE, Frame, Opcode
from ..framing.message_reader import Message

__all__ = ["ReceiveQueue", "water_marks"]

# Bound of the queue in bytes. It limits memory for messages of any size.
MAX_QUEUED_BYTES = 1 << 20
# Number of fragments of an unfinished message above which small ones are joined.
JOIN_ABOVE = 256

# Shared by every queue without an unfinished message, and never filled: an empty deque takes 760
# bytes.
_NO_FRAGMENTS: deque[Frame] = deque()


@functools.lru_cache  # called for each connection, almost always with the same argument
def water_marks(
    limits: int | tuple[int | None, int | None] | None,
) -> tuple[int | None, int | None]:
    """Return the high and low water marks for an option such as `max_queue` or `write_limit`.

    Args:
        limits: the high mark, with a quarter of it as the low mark; or a pair of both; None for
            no limit.

    Raises:
        ValueError: unless 0 <= low <= high.
    """
    high, low = limits if isinstance(limits, tuple) else (limits, None)
    if high is None:
        if low is not None:
            raise ValueError("a low water mark needs a high one")
        return None, None
    if low is None:
        low = high // 4
    if not 0 <= low <= high:
        raise ValueError(f"water marks must be 0 <= low <= high, not {low} and {high}")
    return high, low


class ReceiveQueue:
    """Received messages that the application has not taken yet.

    Attributes:
        messages: complete messages, oldest first: a string for Text, bytes for Binary, and for
            a fragmented message each of its fragments as a frame.
        fragments: fragments of a message whose last fragment has not arrived.
        dropping: True once new messages are dropped, see :meth:`drop_new`.
    """

    # Slots: see docs/architecture.md.
    __slots__ = ("_high", "_join_above", "_low", "dropping", "fragments", "messages")

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.fragments: deque[Frame] = _NO_FRAGMENTS
        self.dropping: bool = False
        self._high: int | None = None
        self._low: int | None = None
        self._join_above = JOIN_ABOVE

    def set_limits(self, limits: int | tuple[int | None, int | None] | None) -> None:
        """Set the bound in messages; see :func:`water_marks`."""
        self._high, self._low = water_marks(limits)

    # Filling ----------------------------------------------------------------------------

    def append(self, message: Message, fin: bool) -> None:
        """Add a message, or the next fragment of one.

        Args:
            message: the message or fragment.
            fin: False for a fragment that is not the last.
        """
        if self.dropping:
            return
        if fin:
            if self.fragments:
                self.messages.extend(self.fragments)
                self.fragments = _NO_FRAGMENTS
                self._join_above = JOIN_ABOVE
            self.messages.append(message)
            return
        assert isinstance(message, Frame)
        if not self.fragments:
            self.fragments = deque()
        self.fragments.append(message)

    def drop_new(self) -> None:
        """Drop the unfinished message, and every message that arrives from now on."""
        self.dropping = True
        self.fragments = _NO_FRAGMENTS

    # Taking -----------------------------------------------------------------------------

    def take(self) -> str | bytes:
        """Remove and return the oldest complete message, its fragments joined.

        Raises:
            IndexError: if there is none.
        """
        message = self.messages.popleft()
        if isinstance(message, Frame):
            return self._take_rest(message)
        return message

    def _take_rest(self, first: Frame) -> str | bytes:
        """Take the other fragments of a message and join them."""
        parts = [first.data]
        fragment = first
        while not fragment.fin:
            message = self.messages.popleft()
            assert isinstance(message, Frame)
            fragment = message
            parts.append(fragment.data)
        data = b"".join(parts)
        return data.decode() if first.opcode is Opcode.TEXT else data

    def take_fragment(self) -> Message:
        """Remove and return the oldest message if it was not fragmented, else its next fragment.

        Raises:
            IndexError: if there is none.
        """
        if self.messages or not self.fragments:
            return self.messages.popleft()
        return self.fragments.popleft()

    def take_all(self) -> list[Message]:
        """Remove and return everything, fragments of an unfinished message last."""
        taken = [*self.messages, *self.fragments]
        self.messages.clear()
        self.fragments = _NO_FRAGMENTS
        return taken

    # Bounds -----------------------------------------------------------------------------

    def is_full(self) -> bool:
        """Return True if the queue is above its high-water mark or its bound in bytes."""
        if self._high is None:
            return False
        return (
            len(self.messages) + len(self.fragments) > self._high
            or sum(map(_size, self.messages)) + sum(map(_size, self.fragments)) > MAX_QUEUED_BYTES
        )

    def is_low(self) -> bool:
        """Return True if the queue is at or below its low-water mark."""
        return self._low is None or len(self.messages) + len(self.fragments) <= self._low

    def join_fragments(self) -> None:
        """Join small fragments of the unfinished message when there are many.

        A fragment of a few bytes takes ten times its size. Fragments that have become large are
        not joined again, and the next time is at twice the number: the time stays linear.
        """
        if len(self.fragments) < self._join_above:
            return
        joined: deque[Frame] = deque()
        parts: list[bytes] = []
        size = 0
        opcode = self.fragments[0].opcode
        for fragment in self.fragments:
            parts.append(fragment.data)
            size += len(fragment.data)
            if size >= LARGE:
                joined.append(Frame(opcode, b"".join(parts), fin=False))
                parts, size, opcode = [], 0, Opcode.CONT
        if parts:
            joined.append(Frame(opcode, b"".join(parts), fin=False))
        self.fragments = joined
        self._join_above = max(JOIN_ABOVE, 2 * len(joined))


def _size(message: Message) -> int:
    return len(message.data) if isinstance(message, Frame) else len(message)
