"""The two ends of a connection and its four states.

RFC 6455 §4.1 (CONNECTING, OPEN), §7.1 (CLOSING, CLOSED).
"""

import enum

__all__ = ["CLOSED", "CLOSING", "CONNECTING", "OPEN", "Side", "State"]


class Side(enum.IntEnum):
    """Which end of the connection this is."""

    SERVER = 0
    CLIENT = 1


class State(enum.IntEnum):
    """The states of a connection (§4.1, §7.1)."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


# To look up a member of an enumeration takes as long as four names.
CONNECTING, OPEN, CLOSING, CLOSED = State
