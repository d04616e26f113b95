"""The world of the box game: the field, its players and the 60 steps a second.

The world is deterministic: no clock, no I/O, no randomness. A step is an integer function of
the world and of the requested moves, so every program that makes the same steps has the same
world.

The field is 800 x 600 pixels with a border of 5 and boxes of 50. A position is a box's upper
left corner counted from the inner edge of the border, so x is 0 to 740 and y 0 to 540.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.box import colors

WIDTH = 800
HEIGHT = 600
BORDER = 5
BOX = 50
MAX_X = WIDTH - 2 * BORDER - BOX
MAX_Y = HEIGHT - 2 * BORDER - BOX

STEPS_PER_SECOND = 60
# 5 pixels a step on each axis are 300 pixels a second.
STEP_PIXELS = 5
# A player may save up unused movement, at most this number of pixels on each axis. Moves of
# an honest player that arrive together and up to 100 ms late are then all made, while a
# flood gains these pixels only once.
BURST_PIXELS = 6 * STEP_PIXELS

MAX_PLAYERS = colors.COLORS

# Players start on a grid of 8 x 8 places, one for each slot, where no two boxes touch. The
# odd stride visits every place once and puts players who join in succession far apart.
_GRID = 8
_PLACE_STRIDE = 27
_FIRST_PLACE = 18
_PLACE_WIDTH = 105
_PLACE_HEIGHT = 75


class WorldFullError(Exception):
    """All 64 places are taken."""


@dataclass(slots=True)
class Player:
    """A player's box.

    ``away`` is true while the player's connection is lost: the box keeps its colour and place
    but is not shown.
    """

    id: str
    slot: int
    x: int
    y: int
    name: str = ""
    away: bool = False
    allowance_x: int = 0
    allowance_y: int = 0

    @property
    def color(self) -> str:
        """The colour as messages spell it; unique among the players of a world."""
        return colors.color(self.slot)


class World:
    """The players by id, including those who are away. Ids are never reused."""

    def __init__(self) -> None:
        self.players: dict[str, Player] = {}
        self._joined = 0

    def join(self, name: str = "") -> Player:
        """Add a player with the first free colour and the start place that belongs to it.

        Raises:
            WorldFullError: 64 players are in the world already.
        """
        taken = {player.slot for player in self.players.values()}
        slot = next((slot for slot in range(MAX_PLAYERS) if slot not in taken), None)
        if slot is None:
            raise WorldFullError(f"The world is full: {MAX_PLAYERS} players.")
        self._joined += 1
        row, column = divmod((_FIRST_PLACE + slot * _PLACE_STRIDE) % _GRID**2, _GRID)
        player = Player(
            str(self._joined), slot, x=column * _PLACE_WIDTH, y=row * _PLACE_HEIGHT, name=name
        )
        self.players[player.id] = player
        return player

    def leave(self, player_id: str) -> None:
        """Remove a player from the world and free its colour.

        Raises:
            KeyError: there is no such player.
        """
        del self.players[player_id]

    def step(self, moves: Mapping[str, tuple[int, int]]) -> bool:
        """Make one step of 1/60 s and return whether a box moved.

        ``moves`` maps a player id to the sum of the moves (dx, dy), in pixels, requested since
        the last step. Movement beyond the player's speed or the field is discarded.
        """
        moved = False
        for player in self.players.values():
            dx, dy = moves.get(player.id, (0, 0))
            before = (player.x, player.y)
            player.x, player.allowance_x = _advance(player.x, dx, player.allowance_x, MAX_X)
            player.y, player.allowance_y = _advance(player.y, dy, player.allowance_y, MAX_Y)
            moved = moved or before != (player.x, player.y)
        return moved


def _advance(position: int, move: int, allowance: int, limit: int) -> tuple[int, int]:
    """Move along one axis; return the new position and the remaining allowance."""
    allowance = min(allowance + STEP_PIXELS, BURST_PIXELS)
    move = max(-allowance, min(move, allowance))
    return max(0, min(position + move, limit)), allowance - abs(move)
