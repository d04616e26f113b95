"""Drawing of one frame of the game on a pygame surface, in the look of the page."""

import functools

import pygame

from apps.box import colors
from apps.box.client import Link
from apps.box.wire import Box
from apps.box.world import BORDER, BOX, HEIGHT, WIDTH
from apps.terminal import printable

BORDER_COLOR = "#34415f"
FIELD_COLOR = "#151c2e"
GRID_COLOR = "#202a42"
PILL_COLOR = "#0a0e1ab8"
BANNER_COLOR = "#f2b544"
BANNER_TEXT_COLOR = "#1c1503"
TEXT_COLOR = "#e8ecf6"
STATUS_COLOR = "#aab4cc"
NAME_COLOR = "#c9d2e6"
OUTLINE_COLOR = "#ffffff"
# For colour names that another server may send and pygame does not know.
UNKNOWN_COLOR = "#8a93a8"

FONTS = "segoeui,helveticaneue,roboto,cantarell,dejavusans"
MARGIN = 16
PILL_HEIGHT = 31
PILL_INDENT = 13
BANNER_HEIGHT = 48
BANNER_INDENT = 24
SWATCH = 13
CORNER = 9
OUTLINE = 3
NAME_GAP = 3
# Shapes are drawn larger by this factor and scaled down: pygame's own corners are jagged.
OVERSAMPLING = 4
LONGEST_TEXT = 80  # characters


class Picture:
    """Draws frames on `surface`, 800 x 600 pixels; pygame's fonts must have been initialised."""

    def __init__(self, surface: pygame.Surface) -> None:
        self._surface = surface
        self._field = _field()
        self._font = pygame.font.SysFont(FONTS, 15)
        self._strong_font = pygame.font.SysFont(FONTS, 15, bold=True)
        self._name_font = pygame.font.SysFont(FONTS, 13, bold=True)

    def draw(self, link: Link) -> None:
        """Draw the current state of `link`."""
        self._surface.blit(self._field, (0, 0))
        # The player's own box is drawn last, on top of all others.
        for player, box in sorted(link.boxes.items(), key=lambda item: item[1].color == link.color):
            self._draw_box(box, link.names.get(player, ""), own=box.color == link.color)
        self._draw_you(link.color)
        self._draw_status(link)
        if link.trouble is not None:
            self._draw_banner(link.trouble)

    def _draw_box(self, box: Box, name: str, *, own: bool) -> None:
        x, y = box.x + BORDER, box.y + BORDER
        outline = OUTLINE if own else 0
        self._surface.blit(_shape(BOX, BOX, CORNER, _drawable(box.color), outline), (x, y))
        if name:
            text = _text(self._name_font, name, NAME_COLOR)
            # The name stands above the box, or below it if there is no room above.
            above = y - NAME_GAP - text.get_height()
            top = above if above > BORDER else y + BOX + NAME_GAP
            self._surface.blit(text, text.get_rect(midtop=(x + BOX // 2, top)))

    def _draw_you(self, color: str) -> None:
        text = _text(self._strong_font, f"You are: {color or '…'}", TEXT_COLOR)
        indent = PILL_INDENT + SWATCH + 7
        pill = pygame.Rect(MARGIN, MARGIN, text.get_width() + indent + PILL_INDENT, PILL_HEIGHT)
        swatch = _shape(SWATCH, SWATCH, 3, _drawable(color))
        self._surface.blit(_shape(*pill.size, PILL_HEIGHT // 2, PILL_COLOR), pill)
        self._surface.blit(swatch, swatch.get_rect(midleft=(pill.x + PILL_INDENT, pill.centery)))
        self._surface.blit(text, text.get_rect(midleft=(pill.x + indent, pill.centery)))

    def _draw_status(self, link: Link) -> None:
        players = len(link.boxes)
        parts = ["connected" if link.trouble is None else "reconnecting"]
        parts.append("1 player" if players == 1 else f"{players} players")
        if link.latency is not None:
            ping = link.latency * 1000
            parts.append(f"{ping:.1f} ms" if ping < 10 else f"{ping:.0f} ms")
        text = _text(self._font, " · ".join(parts), STATUS_COLOR)
        pill = pygame.Rect(0, MARGIN, text.get_width() + 2 * PILL_INDENT, PILL_HEIGHT)
        pill.right = WIDTH - MARGIN
        self._surface.blit(_shape(*pill.size, PILL_HEIGHT // 2, PILL_COLOR), pill)
        self._surface.blit(text, text.get_rect(center=pill.center))

    def _draw_banner(self, trouble: str) -> None:
        text = _text(self._strong_font, trouble, BANNER_TEXT_COLOR)
        banner = pygame.Rect(0, 0, text.get_width() + 2 * BANNER_INDENT, BANNER_HEIGHT)
        banner.center = (WIDTH // 2, HEIGHT // 2)
        self._surface.blit(_shape(*banner.size, BANNER_HEIGHT // 2, BANNER_COLOR), banner)
        self._surface.blit(text, text.get_rect(center=banner.center))


def _field() -> pygame.Surface:
    """Draw the static background: the border, the field and its grid."""
    field = pygame.Surface((WIDTH, HEIGHT))
    field.fill(BORDER_COLOR)
    inside = pygame.Rect(0, 0, WIDTH, HEIGHT).inflate(-2 * BORDER, -2 * BORDER)
    field.fill(FIELD_COLOR, inside)
    for x in range(inside.left + BOX, inside.right, BOX):
        field.fill(GRID_COLOR, (x, inside.top, 1, inside.height))
    for y in range(inside.top + BOX, inside.bottom, BOX):
        field.fill(GRID_COLOR, (inside.left, y, inside.width, 1))
    return field


@functools.lru_cache(maxsize=256)
def _shape(width: int, height: int, radius: int, color: str, outline: int = 0) -> pygame.Surface:
    """Draw a rectangle with smooth round corners on a transparent background."""
    large = pygame.Surface((width * OVERSAMPLING, height * OVERSAMPLING), pygame.SRCALPHA)
    fill = pygame.Color(color)
    edge = pygame.Color(OUTLINE_COLOR) if outline else fill
    # Fill with the edge's colour, fully transparent: scaling blends it into the corners.
    large.fill((edge.r, edge.g, edge.b, 0))
    radius *= OVERSAMPLING
    pygame.draw.rect(large, edge, large.get_rect(), border_radius=radius)
    if outline:
        inset = outline * OVERSAMPLING
        inside = large.get_rect().inflate(-2 * inset, -2 * inset)
        pygame.draw.rect(large, fill, inside, border_radius=radius - inset)
    return pygame.transform.smoothscale(large, (width, height))


def _text(font: pygame.font.Font, text: str, color: str) -> pygame.Surface:
    """Render untrusted text: cut to a safe length and cleaned of unprintable characters."""
    return font.render(printable(text[:LONGEST_TEXT]), True, color)


def _drawable(color: str) -> str:
    """Return a colour that pygame knows for the colour of a message."""
    shade = colors.shade(color)
    try:
        pygame.Color(shade)
    except ValueError:
        return UNKNOWN_COLOR
    return shade
