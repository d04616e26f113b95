"""Keepalive: pings, their pongs, and the verdict on a peer that has fallen silent.

RFC 6455 §5.5.2 (pings), §5.5.3 (pongs).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ..exceptions import ConcurrencyError
from ..typing import BytesLike

__all__ = ["Keepalive", "control_payload"]

# Shared by every connection that has sent no ping, and never filled: a dict takes 64 bytes.
_NO_PINGS: dict[bytes, tuple[float, Any]] = {}


class Output(Protocol):
    """Progress of the bytes to send, see :class:`~ws6455.session.io.ConnectionIO`."""

    def unsent_bytes(self) -> int:
        """Return the number of bytes that wait for the transport to have room."""

    def sent_bytes(self) -> int:
        """Return the number of bytes sent, of those that had to wait."""


class Keepalive:
    """Sends of pings, matched with their pongs, and the time since the peer was last heard.

    Any byte received proves life, and so does any progress with a backlog of bytes to send.
    While reading is paused, silence proves nothing; a backlog that stands still does.

    Args:
        clock: returns the time in seconds, as ``time.monotonic``.
        output: the transport.
        interval: seconds between pings; None for no pings.
        timeout: seconds without a byte, after a ping, until the peer counts as dead; None for
            no limit.

    Attributes:
        heard: True if a byte was received since the ping that waits; every read sets it, which
            is cheaper than a look at the clock.
        latency: seconds between the latest answered ping and its pong; 0 before the first.
        pings: pings without a pong, oldest first: payload, time when sent, and the waiter or
            None for a ping of keepalive itself.
    """

    # Slots: see docs/architecture.md.
    __slots__ = (
        "_clock",
        "_output",
        "_own_payload",
        "_ping_at",
        "_sent_then",
        "_silent_since",
        "heard",
        "interval",
        "latency",
        "pings",
        "timeout",
    )

    def __init__(
        self,
        clock: Callable[[], float],
        output: Output,
        interval: float | None,
        timeout: float | None,
    ) -> None:
        self.interval: float | None = interval
        self.timeout: float | None = timeout
        self.latency: float = 0.0
        self.heard: bool = True
        self.pings: dict[bytes, tuple[float, Any]] = _NO_PINGS
        self._clock = clock
        self._output = output
        self._own_payload: bytes | None = None
        self._ping_at: float | None = None
        self._silent_since: float | None = None
        # Bytes sent when the ping was, or when a backlog began after it. None: no backlog.
        self._sent_then: int | None = None

    # Pings ------------------------------------------------------------------------------

    def choose_payload(self, data: str | BytesLike | None) -> bytes:
        """Return the payload of a new ping.

        Args:
            data: the payload, or None for four random bytes.

        Raises:
            ConcurrencyError: if a ping with this payload waits for its pong.
            TypeError: if it is neither a string nor bytes-like.
        """
        if data is None:
            payload = os.urandom(4)
            while payload in self.pings:
                payload = os.urandom(4)
            return payload
        payload = control_payload(data)
        if payload in self.pings:
            raise ConcurrencyError("a ping with this payload already waits for its pong")
        return payload

    def add_ping(self, payload: bytes, waiter: Any) -> None:
        """Note a ping that was sent; `waiter` is None for one of keepalive itself."""
        if self.pings is _NO_PINGS:
            self.pings = {}
        if waiter is None:
            # Only the latest of keepalive's own pings is kept: the map must not grow if the peer
            # sends data but never a pong.
            if self._own_payload is not None:
                self.pings.pop(self._own_payload, None)
            self._own_payload = payload
        self.pings[payload] = (self._clock(), waiter)

    def receive_pong(self, payload: bytes) -> Iterator[tuple[Any, float]]:
        """Settle the ping with this payload and every earlier one; ignore any other pong.

        Yields:
            The waiter of a ping and its latency in seconds.
        """
        if payload not in self.pings:
            return
        now = self._clock()
        for earlier in list(self.pings):
            sent_at, waiter = self.pings.pop(earlier)
            latency = now - sent_at
            if earlier == payload:
                self.latency = latency
            if waiter is not None:
                yield waiter, latency
            if earlier == payload:
                return

    def stop(self) -> list[Any]:
        """Stop; return the waiters of pings whose pongs will not come."""
        self._ping_at = self._silent_since = None
        waiters = [waiter for _, waiter in self.pings.values() if waiter is not None]
        self.pings = _NO_PINGS
        return waiters

    # The clock --------------------------------------------------------------------------

    def start(self) -> None:
        """Start to send pings."""
        if self.interval is not None:
            self._ping_at = self._clock() + self.interval

    @property
    def is_waiting(self) -> bool:
        """True while a ping waits for a sign of life."""
        return self._silent_since is not None

    def next_deadline(self) -> float | None:
        """Return the time of the next call of :meth:`find_timeout` and :meth:`is_ping_due`."""
        if self._silent_since is not None and self.timeout is not None:
            pong_by = self._silent_since + self.timeout
            return pong_by if self._ping_at is None else min(pong_by, self._ping_at)
        return self._ping_at

    def note_backlog(self) -> None:
        """Count from now on any byte sent as a sign of life: a backlog has begun."""
        if self._sent_then is None:
            self._sent_then = self._output.sent_bytes()

    def find_timeout(self, now: float, reading_paused: bool) -> TimeoutError | None:
        """Return an error if the peer has to be considered dead, else None.

        Args:
            now: the time.
            reading_paused: True while nothing is read, so that silence proves nothing.
        """
        if self._silent_since is None:
            return None
        unsent = self._output.unsent_bytes()
        progress = self._sent_then is not None and self._output.sent_bytes() > self._sent_then
        if self.heard or progress or (reading_paused and not unsent):
            self._silent_since = None
            return None
        if self.timeout is None or now < self._silent_since + self.timeout:
            return None
        silence = now - self._silent_since
        backlog = f"; {unsent} bytes that the peer has not taken wait" if unsent else ""
        late = silence - self.timeout
        lag = f"; the timer was {late:.1f} s late" if late > 1 else ""
        return TimeoutError(
            f"no byte received in the {silence:.1f} s since a ping "
            f"(ping_timeout={self.timeout:g} s){backlog}{lag}"
        )

    def is_ping_due(self, now: float) -> bool:
        """Return True if a ping has to be sent now, and start to wait for a sign of life."""
        if self._ping_at is None or now < self._ping_at:
            return False
        self._ping_at = None if self.interval is None else now + self.interval
        if self._silent_since is None:
            self._silent_since = now
            self.heard = False
            self._sent_then = self._output.sent_bytes() if self._output.unsent_bytes() else None
        return True


def control_payload(data: str | BytesLike) -> bytes:
    """Return the payload of a ping or pong.

    Raises:
        TypeError: if it is neither a string nor bytes-like.
    """
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, BytesLike):
        return bytes(data)
    raise TypeError(f"data must be str or bytes-like, not {type(data).__name__}")
