"""The world of the box game: the field, its players and the 60 steps a second.

It is pure: no clock, no input or output, no chance. A step is a function of the world and
of the moves that the players asked for, in whole numbers, so that any other program that
makes the same steps holds the same world.

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
# What a player did not use of its speed, it may use later, up to this many pixels on each
# axis: the moves of an honest player that arrive up to 100 ms late and all at once are all
# made, while a flood gains these pixels once.
BURST_PIXELS = 6 * STEP_PIXELS

MAX_PLAYERS = colors.COLORS

# Players start on a grid of 8 x 8 places, one for each slot, where no two boxes touch. The
# odd stride visits every place once and puts neighbours in time far apart in space.
_GRID = 8
_PLACE_STRIDE = 27
_FIRST_PLACE = 18
_PLACE_WIDTH = 105
_PLACE_HEIGHT = 75


class WorldFullError(Exception):
    """All 64 places are taken."""


@dataclass(slots=True)
class Player:
    """A box. ``away`` is a player whose connection broke: it keeps its colour and place unseen."""

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
        """The colour as the wire spells it. No two players of a world share one."""
        return colors.color(self.slot)


class World:
    """All players by their id, those who are away included. Ids are never used again."""

    def __init__(self) -> None:
        self.players: dict[str, Player] = {}
        self._joined = 0

    def join(self, name: str = "") -> Player:
        """Add a player, with the first free colour and the place that belongs to it.

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
        """Take a player out of the world; the colour is free again.

        Raises:
            KeyError: there is no such player.
        """
        del self.players[player_id]

    def step(self, moves: Mapping[str, tuple[int, int]]) -> bool:
        """Make one step of 1/60 s and tell whether a box moved.

        ``moves`` holds, by player id, the sum of the moves (dx, dy) in pixels that the player
        asked for since the last step. What goes beyond the player's speed or the field is lost.
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
    """Move along one axis; give the new position and what is left of the allowance."""
    allowance = min(allowance + STEP_PIXELS, BURST_PIXELS)
    move = max(-allowance, min(move, allowance))
    return max(0, min(position + move, limit)), allowance - abs(move)
