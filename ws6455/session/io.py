"""I/O of a connection, as a front end provides it."""

from __future__ import annotations

import abc
from typing import Any, Protocol

from ..protocol.roles import AnyProtocol

__all__ = ["ConnectionIO", "WritingOwner"]


class WritingOwner(Protocol):
    """Interface of a connection whose writing pauses and resumes."""

    def pause_writing(self) -> None:
        """Pause writing: the transport has no room."""

    def resume_writing(self) -> None:
        """Resume writing: the transport has room again."""


class ConnectionIO(abc.ABC):
    """Base of the part of a connection that does its I/O.

    Args:
        protocol: the connection without I/O.

    Attributes:
        local_address: address of this side, as the socket gives it.
        remote_address: address of the peer, as the socket gives it.
        writing_paused: True while the transport has no room.
        sending_ended: True once nothing more can be sent.
        lost: True once the transport is closed.
    """

    # Slots: see docs/architecture.md. A subclass may have a __dict__.
    __slots__ = (
        "_given",
        "_protocol",
        "local_address",
        "lost",
        "remote_address",
        "sending_ended",
        "writing_paused",
    )

    def __init__(self, protocol: AnyProtocol) -> None:
        self._protocol = protocol
        self._given = 0  # bytes that had to wait so far, sent or not
        self.local_address: Any = None
        self.remote_address: Any = None
        self.writing_paused: bool = False
        self.sending_ended: bool = False
        self.lost: bool = False

    @abc.abstractmethod
    def flush(self) -> None:
        """Write what the protocol has to send."""

    @abc.abstractmethod
    def pause_reading(self) -> None:
        """Stop reading from the transport."""

    @abc.abstractmethod
    def resume_reading(self) -> None:
        """Read from the transport again."""

    @abc.abstractmethod
    def unsent_bytes(self) -> int:
        """Return the number of bytes that wait for the transport to have room."""

    def sent_bytes(self) -> int:
        """Return the number of bytes sent, of those that had to wait."""
        return self._given - self.unsent_bytes()
