"""The programs under test as clients: ``python -m benchmarks.clients PEER --port P``.

Each peer's module has a coroutine function ``exchange(options, flight, opened)``. It opens one
connection, awaits ``opened()``, keeps ``options.in_flight`` messages in flight and reports each
answer to ``flight``, until it is cancelled. It follows the style of that library's documentation.
"""

import time
from collections import deque
from dataclasses import dataclass
from typing import ClassVar

# The limit of a received message, in bytes: 64 MiB pass even if the limit is exclusive.
MAX_SIZE = (64 << 20) + 1

# Round trips kept for all connections together: enough for the 99th percentile.
_SAMPLES = 100_000


@dataclass(frozen=True)
class Options:
    """Options of a client, the same for each connection.

    Attributes:
        port: port of the echo server on 127.0.0.1.
        message: message to send: str as Text, bytes as Binary.
        in_flight: number of unanswered messages to keep in flight.
        deflate: offer permessage-deflate.
    """

    port: int
    message: str | bytes
    in_flight: int
    deflate: bool

    @property
    def uri(self) -> str:
        """The server's address."""
        return f"ws://127.0.0.1:{self.port}/"


class Flight:
    """The messages in flight on one connection: counts and times their answers."""

    # The latest round trips of all connections, in seconds.
    round_trips: ClassVar[deque[float]] = deque(maxlen=_SAMPLES)

    __slots__ = ("_sent", "answers")

    def __init__(self, in_flight: int) -> None:
        self._sent = [0.0] * in_flight
        self.answers = 0

    def start(self) -> None:
        """Record that the first messages are sent now."""
        self._sent[:] = [time.perf_counter()] * len(self._sent)

    def record_answer(self) -> None:
        """Record an answer; the next message is sent now."""
        now = time.perf_counter()
        place = self.answers % len(self._sent)
        self.round_trips.append(now - self._sent[place])
        self._sent[place] = now
        self.answers += 1
