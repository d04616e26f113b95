"""The load of ``bench``: sends messages, compares each echo, records each latency."""

from __future__ import annotations

import array
import asyncio
import dataclasses
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable

from ..aio.client_connection import ClientConnection
from ..exceptions import ConnectionClosed

__all__ = ["Load", "Outcome", "percentile"]

_LAST_ECHOES_TIMEOUT = 5  # seconds, from the last message sent


@dataclasses.dataclass(slots=True)
class Outcome:
    """The result of a load.

    Attributes:
        seconds: duration from the first message to the last echo.
        echoes: number of correct echoes.
        latencies: seconds from each of those messages to its echo, in ascending order.
        wrong: number of wrong echoes.
        failures: reasons of lost connections and missing echoes.
    """

    seconds: float
    echoes: int
    latencies: array.array[float]
    wrong: int
    failures: list[str]


def percentile(ascending: array.array[float], percent: float) -> float:
    """Return a percentile of values, which are in ascending order and not empty."""
    return ascending[min(len(ascending) - 1, int(len(ascending) * percent / 100))]


class Load:
    """Sends messages to an echo server over several connections.

    Args:
        size: size of a message in bytes.
        in_flight: messages per connection that wait for their echo.
        text: whether to send Text rather than Binary.
    """

    def __init__(self, *, size: int, in_flight: int, text: bool) -> None:
        self.latencies: array.array[float] = array.array("d")
        self.wrong: int = 0
        self.failures: list[str] = []
        self._in_flight = in_flight
        self._text = text
        # Random, so that no bytes match by chance. Hexadecimal digits are also valid Text.
        self._filling = os.urandom((size + 1) // 2).hex()[:size].encode()
        self._size = size
        self._number = 0
        self._ends_at = 0.0

    async def run(
        self,
        connections: list[ClientConnection],
        seconds: float,
        watch: Callable[[], Awaitable[None]],
    ) -> Outcome:
        """Send messages for some time, then wait for the last echoes.

        Args:
            connections: open connections.
            seconds: duration of sending.
            watch: a coroutine function that runs at the same time and is cancelled at the end.
        """
        started = time.perf_counter()
        self._ends_at = started + seconds
        watching = asyncio.ensure_future(watch())
        try:
            async with asyncio.timeout(seconds + _LAST_ECHOES_TIMEOUT):
                await asyncio.gather(*map(self._exchange, connections))
        except TimeoutError:
            self.failures.append(f"echoes were missing after {_LAST_ECHOES_TIMEOUT} more seconds")
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        took = time.perf_counter() - started
        ascending = array.array("d", sorted(self.latencies))
        return Outcome(took, len(ascending), ascending, self.wrong, self.failures)

    async def _exchange(self, connection: ClientConnection) -> None:
        """Keep `in_flight` messages in flight on one connection; stop at a wrong echo."""
        waiting: deque[tuple[float, bytes]] = deque()
        clock = time.perf_counter
        try:
            for _ in range(self._in_flight):
                waiting.append((clock(), self._next_message()))
                await connection.send(waiting[-1][1], text=self._text)
            while waiting:
                echo = await connection.recv()
                now = clock()
                sent_at, message = waiting.popleft()
                if echo != (message.decode() if self._text else message):
                    self.wrong += 1
                    return
                self.latencies.append(now - sent_at)
                if now < self._ends_at:
                    waiting.append((now, self._next_message()))
                    await connection.send(waiting[-1][1], text=self._text)
        except ConnectionClosed as exc:
            self.failures.append(str(exc))

    def _next_message(self) -> bytes:
        """Build a message that differs from the others in flight, if its size allows it."""
        self._number += 1
        number = b"%016x" % self._number
        return (number + self._filling[16:])[-self._size :] if self._size else b""
