"""What a server knows of its connections, the same for every front end."""

from __future__ import annotations

from typing import Generic, TypeVar

from ..protocol.states import OPEN
from ..typing import LoggerLike
from .session import ServerSession

__all__ = ["Serving"]

Connection = TypeVar("Connection", bound=ServerSession)


class Serving(Generic[Connection]):
    """The part of a server that its front ends share.

    Args:
        logger: the server's logger.
    """

    def __init__(self, logger: LoggerLike) -> None:
        self.logger = logger
        # With those whose handshake is not through, or whose handler has not ended.
        self._all: set[Connection] = set()

    @property
    def connections(self) -> set[Connection]:
        """The connections that are open."""
        # A copy first, which other threads do not change meanwhile.
        return {c for c in self._all.copy() if c.protocol.state is OPEN}

    def forget(self, connection: Connection) -> None:
        """Drop a connection that has ended."""
        self._all.discard(connection)
