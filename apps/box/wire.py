"""The JSON messages of the box game: parsing and formatting.

The server sends, in this order on connecting::

    {"your_color": "green"}
    {"positions": {"1": {"x": 210, "y": 150, "color": "green"}}}

and ``positions`` again whenever something changes. A client sends one message for each frame
in which a key is held, in steps of 5 pixels::

    {"move": {"x": 5, "y": 0}}

Further messages are sent only to clients that opt in. A client whose URL has a ``name``
parameter, which may be empty, receives the names of all players who have one::

    {"names": {"1": "Alice"}}

The server answers ``{"ping": 7}`` with ``{"pong": 7}``, since browsers cannot send Ping
frames. It answers every other message with ``{"error": "..."}``.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from apps.box.world import WIDTH, Player

# No client makes a move longer than the field. JavaScript's integers are exact up to 2**53.
MAX_MOVE = WIDTH
MAX_PING = 2**53
# Another server may have a larger field; positions beyond any screen are ignored.
FARTHEST = 10_000


class WireError(ValueError):
    """An invalid message; the text tells its sender what is wrong."""


@dataclass(frozen=True, slots=True)
class Move:
    """A client's move: pixels to the right and down."""

    dx: int
    dy: int


@dataclass(frozen=True, slots=True)
class Ping:
    """A number to send back at once."""

    number: int


@dataclass(frozen=True, slots=True)
class YourColor:
    """The server's first message: the colour of the player."""

    color: str


@dataclass(frozen=True, slots=True)
class Box:
    """A player's box; x and y are counted from the border's inner edge."""

    x: int
    y: int
    color: str


@dataclass(frozen=True, slots=True)
class Positions:
    """The boxes of all visible players, by player id."""

    boxes: dict[str, Box]


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the players who have one, by player id."""

    names: dict[str, str]


def parse_from_client(message: str | bytes) -> Move | Ping:
    """Parse a client's message.

    Raises:
        WireError: the message is neither a move nor a ping.
    """
    match _load(message):
        case {"move": {"x": dx, "y": dy}}:
            return Move(_whole("move.x", dx, MAX_MOVE), _whole("move.y", dy, MAX_MOVE))
        case {"ping": number}:
            return Ping(_whole("ping", number, MAX_PING))
    raise WireError('Send {"move": {"x": 5, "y": 0}}.')


def parse_from_server(message: str | bytes) -> YourColor | Positions | Names | None:
    """Parse a server's message; return None for a message of an unknown kind.

    Raises:
        WireError: the message is not JSON.
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
    """Format the first message to a client."""
    return json.dumps({"your_color": color})


def positions(players: Iterable[Player]) -> str:
    """Format the positions of all players except those who are away."""
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
    """Format the names of the visible players who have one."""
    return json.dumps(
        {"names": {player.id: player.name for player in players if player.name and not player.away}}
    )


def move(dx: int, dy: int) -> str:
    """Format a client's move in pixels to the right and down."""
    return json.dumps({"move": {"x": dx, "y": dy}})


def pong(number: int) -> str:
    """Format the answer to a ping."""
    return json.dumps({"pong": number})


def error(text: str) -> str:
    """Format the answer to an invalid message."""
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
    # bool is a subclass of int in Python, but not a number in JSON.
    if isinstance(value, bool) or not isinstance(value, int):
        raise WireError(f"{field} is not a whole number.")
    if not -limit <= value <= limit:
        raise WireError(f"{field} is not within -{limit} to {limit}.")
    return value
