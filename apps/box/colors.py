"""The 64 colours of the players: their names in messages and their shades on screen.

The first eight have names. The others are written as ``#rrggbb``, which CSS and pygame both
understand. The page and the desktop draw the named colours in the same shades (a test
compares them).
"""

import colorsys

NAMED: dict[str, str] = {
    "green": "#3ecf8e",
    "blue": "#4f8ff7",
    "red": "#f25f5c",
    "yellow": "#ffd34e",
    "purple": "#9b6dff",
    "orange": "#ff9248",
    "pink": "#ff7ac6",
    "cyan": "#37d5ee",
}
HUES = 56
COLORS = len(NAMED) + HUES

# The stride is coprime to HUES, so it visits every hue once. It also keeps the hues of
# players who join one after the other far apart.
_STRIDE = 33
_LIGHTNESS = 0.66
_SATURATION = 0.58


def color(slot: int) -> str:
    """Return the colour of ``slot`` (0 to 63) as messages spell it."""
    if slot < len(NAMED):
        return list(NAMED)[slot]
    hue = (slot - len(NAMED)) * _STRIDE % HUES / HUES
    red, green, blue = colorsys.hls_to_rgb(hue, _LIGHTNESS, _SATURATION)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def shade(color: str) -> str:
    """Return the shade to draw: ``#rrggbb``, or `color` itself if it is not one of ours."""
    return NAMED.get(color, color)
