"""The programs under test as clients: ``python -m benchmarks.clients PEER --port P``.

Each peer's module has ``exchange(options, flight, opened)``, which opens one connection, waits
for ``opened()``, keeps so many messages in flight and tells ``flight`` of each answer, until it
is cancelled. It is written as that library's own documentation would have it.
"""

import time
from collections import deque
from dataclasses import dataclass
from typing import ClassVar

# The limit of a received message, in bytes: 64 MiB pass, also where a message must be shorter.
MAX_SIZE = (64 << 20) + 1

# Round trips that are kept, of all connections together: enough for the 99th percentile.
_SAMPLES = 100_000


@dataclass(frozen=True)
class Options:
    """What a client is to do on each connection.

    Attributes:
        port: of the echo server, on 127.0.0.1.
        message: what to send: str as Text, bytes as Binary.
        in_flight: how many to keep unanswered.
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
    """The messages in flight on one connection: it counts and times their answers."""

    # The latest of all connections, in seconds.
    round_trips: ClassVar[deque[float]] = deque(maxlen=_SAMPLES)

    __slots__ = ("_sent", "landed")

    def __init__(self, in_flight: int) -> None:
        self._sent = [0.0] * in_flight
        self.landed = 0

    def start(self) -> None:
        """Note that the first messages are sent now."""
        self._sent[:] = [time.perf_counter()] * len(self._sent)

    def land(self) -> None:
        """Note an answer, and that the next message goes out in its place."""
        now = time.perf_counter()
        place = self.landed % len(self._sent)
        self.round_trips.append(now - self._sent[place])
        self._sent[place] = now
        self.landed += 1
