"""Messages received and not yet taken: whole and fragmented ones, in bounds.

RFC 6455 §5.4 (fragmentation). The base of :class:`~ws6455.session.keepalive.Session`. What the
protocol has received is the queue itself; here is how it is taken, and when reading pauses and
goes on.
"""

from __future__ import annotations

import abc
import functools
from collections import deque

from ..framing.fragments import decoded
from ..framing.frames import Frame, Opcode
from ..framing.message_reader import Message
from ..protocol.client import ClientProtocol
from ..protocol.receiver import LARGE
from ..protocol.server import ServerProtocol
from ..protocol.states import OPEN
from ..typing import Data

__all__ = ["ReceiveQueue", "water_marks"]

# The queue's bound in bytes: reached by messages of every size, unlike the one in messages.
MAX_QUEUED_BYTES = 1 << 20
# Fragments that wait for the rest of their message, before the small ones are joined.
MANY_FRAGMENTS = 256


@functools.lru_cache  # every connection asks, and nearly always the same
def water_marks(
    limits: int | tuple[int | None, int | None] | None,
) -> tuple[int | None, int | None]:
    """Return the high and low water marks that `max_queue` or `write_limit` mean.

    Args:
        limits: the high mark, of which the low is a quarter; or both; None for no limit.

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


class ReceiveQueue(abc.ABC):
    """The receiving side of a session, as the application sees it.

    Args:
        protocol: the connection without I/O.
        max_queue: messages received and not yet taken, see :func:`water_marks`.
    """

    # So many attributes are faster in slots. A subclass may have any other.
    __slots__ = (
        "_dropping",
        "_high",
        "_low",
        "_many_fragments",
        "_message_in_hand",
        "_messages",
        "_reading_paused",
        "protocol",
    )

    def __init__(
        self,
        protocol: ClientProtocol | ServerProtocol,
        max_queue: int | tuple[int | None, int | None] | None,
    ) -> None:
        self.protocol = protocol
        self._messages: deque[Message] = protocol.messages
        self._high, self._low = water_marks(max_queue)
        self._many_fragments = MANY_FRAGMENTS
        self._reading_paused = False
        self._dropping = False
        # Whether the application has taken a message and not come back for the next: while it
        # has, a violation waits, so that the reply can go out first.
        self._message_in_hand = False

    @abc.abstractmethod
    def _pause_reading(self) -> None:
        """Stop reading from the transport."""

    @abc.abstractmethod
    def _resume_reading(self) -> None:
        """Go on reading from the transport."""

    def _has_message(self) -> bool:
        """Whether a whole message can be taken."""
        return len(self._messages) > self.protocol.open_fragments

    def _take_message(self, decode: bool | None = None) -> Data:
        """Take the next whole message; its fragments are joined.

        Args:
            decode: True gives a string, False gives bytes, None what was sent.

        Raises:
            UnicodeDecodeError: if it is to be decoded and is not UTF-8.
        """
        message = self._messages.popleft()
        if isinstance(message, Frame):
            message = self._join_fragments(message)
        self._message_in_hand = True
        if self._reading_paused:
            self._check_low_water_mark()
        return message if decode is None else decoded(message, decode)

    def _join_fragments(self, first: Frame) -> str | bytes:
        parts = [first.data]
        fragment = first
        while not fragment.fin:
            message = self._messages.popleft()
            assert isinstance(message, Frame)
            fragment = message
            parts.append(fragment.data)
        self._many_fragments = MANY_FRAGMENTS
        data = b"".join(parts)
        return data.decode() if first.opcode is Opcode.TEXT else data

    def _take_fragment(self) -> Message:
        """Take the next message if it was not fragmented, else its next fragment."""
        if len(self._messages) == self.protocol.open_fragments:
            self.protocol.open_fragments -= 1
        fragment = self._messages.popleft()
        self._message_in_hand = True
        if self._reading_paused:
            self._check_low_water_mark()
        return fragment

    def _join_small_fragments(self) -> None:
        """Join the fragments that wait for the rest of their message, where they are small.

        One of a few bytes takes ten times its size. What has become large is not joined again,
        and the next time is when there are twice as many: the time stays linear.
        """
        messages = self._messages
        waiting = [messages.pop() for _ in range(self.protocol.open_fragments)]
        while waiting:
            first = waiting.pop()
            assert isinstance(first, Frame)
            parts, size = [first.data], len(first.data)
            while waiting and size < LARGE:
                fragment = waiting.pop()
                assert isinstance(fragment, Frame)
                parts.append(fragment.data)
                size += len(fragment.data)
            messages.append(Frame(first.opcode, b"".join(parts), fin=False))
            self.protocol.open_fragments -= len(parts) - 1
        self._many_fragments = max(MANY_FRAGMENTS, 2 * self.protocol.open_fragments)

    def _check_high_water_mark(self) -> None:
        """Pause reading when more is queued than the application takes, in number or bytes."""
        high = self._high
        if high is None or self._reading_paused:
            return
        messages = self._messages
        if len(messages) <= high and sum(map(_size, messages)) <= MAX_QUEUED_BYTES:
            return
        if self.protocol.state is OPEN:
            self._reading_paused = True
            self._pause_reading()
        else:
            # This side has closed and waits for the peer's Close, which stands behind whatever
            # the peer had sent. Reading goes on; the queue does not grow.
            self._dropping = True
            self._drop_messages(len(messages) - self.protocol.open_fragments)

    def _receive(self, data: bytes | memoryview) -> None:
        """Take bytes from the transport."""
        if self._dropping:
            self._receive_and_drop(data)
        else:
            self.protocol.receive_data(data)

    def _receive_and_drop(self, data: bytes | memoryview) -> None:
        """Take bytes from the transport, but no more messages into the queue."""
        queued = len(self._messages)
        self.protocol.receive_data(data)
        self._drop_messages(queued)

    def _drop_messages(self, kept: int) -> None:
        """Drop the newest messages, and what there is of one under way."""
        while len(self._messages) > kept:
            self._messages.pop()
        self.protocol.open_fragments = 0

    def _check_low_water_mark(self) -> None:
        """Go on reading when the application has caught up."""
        if self._low is None or len(self._messages) <= self._low:
            self._go_on_reading()

    def _go_on_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self._resume_reading()


def _size(message: Message) -> int:
    return len(message.data) if isinstance(message, Frame) else len(message)
