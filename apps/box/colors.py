"""The 64 colours of the players: what the wire calls them and how they look on a screen.

The first eight go by a name, the others by ``#rrggbb``, which CSS and pygame both
understand. The page draws the names in the same shades as the desktop (a test compares).
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

# Stepping through the circle of hues in strides that share no divisor with their number
# visits each of them once and keeps players who join one after the other far apart.
_STRIDE = 33
_LIGHTNESS = 0.66
_SATURATION = 0.58


def color(slot: int) -> str:
    """Give the colour of ``slot`` (0 to 63) as the wire spells it."""
    if slot < len(NAMED):
        return list(NAMED)[slot]
    hue = (slot - len(NAMED)) * _STRIDE % HUES / HUES
    red, green, blue = colorsys.hls_to_rgb(hue, _LIGHTNESS, _SATURATION)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def shade(color: str) -> str:
    """Give what to draw for a colour of the wire: ``#rrggbb``, or the name if it is not ours."""
    return NAMED.get(color, color)
