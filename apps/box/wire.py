"""The JSON wire of the box game: one message to text, one text to a message.

The server sends, in this order on connecting::

    {"your_color": "green"}
    {"positions": {"1": {"x": 210, "y": 150, "color": "green"}}}

and ``positions`` again whenever something changed. A client sends, in steps of 5 pixels, one
message for each frame in which a key is held::

    {"move": {"x": 5, "y": 0}}

A client that knows more than that says so, and only then is it sent more. One whose address
has a ``name`` (it may be empty) is told the names of all who gave one::

    {"names": {"1": "Alice"}}

One that sends ``{"ping": 7}`` is answered ``{"pong": 7}``; browsers cannot send the pings of
the protocol. A message that is none of these is answered with ``{"error": "..."}``.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from apps.box.world import WIDTH, Player

# A move longer than the field is no move of any client. 2**53 is where JavaScript's whole
# numbers end.
MAX_MOVE = WIDTH
MAX_PING = 2**53
# Another server may have another field, but none whose pixels a screen cannot count.
FARTHEST = 10_000


class WireError(ValueError):
    """A message that is not of this wire; the text tells the sender what was wrong."""


@dataclass(frozen=True, slots=True)
class Move:
    """What a client asks for: pixels to the right and down."""

    dx: int
    dy: int


@dataclass(frozen=True, slots=True)
class Ping:
    """A number to be sent back at once."""

    number: int


@dataclass(frozen=True, slots=True)
class YourColor:
    """The server's first message."""

    color: str


@dataclass(frozen=True, slots=True)
class Box:
    """A player as the server shows it; x and y are counted from the border's inner edge."""

    x: int
    y: int
    color: str


@dataclass(frozen=True, slots=True)
class Positions:
    """All players who are seen, by id."""

    boxes: dict[str, Box]


@dataclass(frozen=True, slots=True)
class Names:
    """The names of those who gave one, by id."""

    names: dict[str, str]


def parse_from_client(message: str | bytes) -> Move | Ping:
    """Read what a client sent.

    Raises:
        WireError: it is neither a move nor a ping.
    """
    match _load(message):
        case {"move": {"x": dx, "y": dy}}:
            return Move(_whole("move.x", dx, MAX_MOVE), _whole("move.y", dy, MAX_MOVE))
        case {"ping": number}:
            return Ping(_whole("ping", number, MAX_PING))
    raise WireError('Send {"move": {"x": 5, "y": 0}}.')


def parse_from_server(message: str | bytes) -> YourColor | Positions | Names | None:
    """Read what a server sent; None is a message that this client has no use for.

    Raises:
        WireError: it is not JSON.
    """
    match _load(message):
        case {"your_color": str(color)}:
            return YourColor(color)
        case {"positions": dict(players)}:
            boxes = {}
            for player, box in players.items():
                match box:
                    case {"x": int(x), "y": int(y), "color": str(color)} if _is_near(x, y):
                        boxes[player] = Box(x, y, color)
            return Positions(boxes)
        case {"names": dict(names)}:
            return Names({player: str(name) for player, name in names.items()})
    return None


def your_color(color: str) -> str:
    """Write the first message to a client."""
    return json.dumps({"your_color": color})


def positions(players: Iterable[Player]) -> str:
    """Write where everybody is. Players who are away are not seen."""
    return json.dumps(
        {
            "positions": {
                player.id: {"x": player.x, "y": player.y, "color": player.color}
                for player in players
                if not player.away
            }
        }
    )


def names(players: Iterable[Player]) -> str:
    """Write the names of those who gave one and are seen."""
    return json.dumps(
        {"names": {player.id: player.name for player in players if player.name and not player.away}}
    )


def move(dx: int, dy: int) -> str:
    """Write a client's move in pixels to the right and down."""
    return json.dumps({"move": {"x": dx, "y": dy}})


def pong(number: int) -> str:
    """Write the answer to a ping."""
    return json.dumps({"pong": number})


def error(text: str) -> str:
    """Write the answer to a wrong message."""
    return json.dumps({"error": text})


def _is_near(x: int, y: int) -> bool:
    return abs(x) <= FARTHEST and abs(y) <= FARTHEST


def _load(message: str | bytes) -> object:
    if isinstance(message, bytes):
        raise WireError("Send text, not binary.")
    try:
        loaded: object = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise WireError("That is not JSON.") from error
    return loaded


def _whole(field: str, value: object, limit: int) -> int:
    # bool is an int to Python, but not to JSON.
    if isinstance(value, bool) or not isinstance(value, int):
        raise WireError(f"{field} is not a whole number.")
    if not -limit <= value <= limit:
        raise WireError(f"{field} is not within -{limit} to {limit}.")
    return value
