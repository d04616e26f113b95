"""The desktop client's window: draws 60 frames a second and reads the keys.

The window shares its thread with asyncio. It never blocks; between frames it awaits the time
of the next one.
"""

import asyncio

import pygame

from apps.box.client import Link
from apps.box.picture import Picture
from apps.box.world import HEIGHT, STEP_PIXELS, WIDTH

FRAME_TIME = 1 / 60  # seconds

DIRECTIONS = {
    pygame.K_UP: (0, -1),
    pygame.K_DOWN: (0, 1),
    pygame.K_LEFT: (-1, 0),
    pygame.K_RIGHT: (1, 0),
    pygame.K_w: (0, -1),
    pygame.K_s: (0, 1),
    pygame.K_a: (-1, 0),
    pygame.K_d: (1, 0),
}


class Window:
    """An 800 x 600 window that shows the game of `link`; `run` closes it at its end.

    Raises:
        pygame.error: the window cannot be opened on this display.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        # Initialise the display and the fonts only: pygame.init() opens the sound device too.
        pygame.display.init()
        pygame.font.init()
        pygame.display.set_caption("Box")
        self._picture = Picture(pygame.display.set_mode((WIDTH, HEIGHT)))
        self._held: set[int] = set()
        self._tapped: set[int] = set()

    async def run(self) -> None:
        """Draw frames until the window is closed; send a move in each frame with a held key."""
        loop = asyncio.get_running_loop()
        deadline = loop.time()
        try:
            while self._handle_events():
                self._send_move()
                self._picture.draw(self._link)
                pygame.display.flip()
                # A late frame is not made up for, but the sleep still yields to the loop.
                deadline = max(deadline + FRAME_TIME, loop.time())
                await asyncio.sleep(deadline - loop.time())
        finally:
            pygame.font.quit()
            pygame.display.quit()

    def _handle_events(self) -> bool:
        """Update the set of held keys; return False if the window was closed."""
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                return False
            if event.type == pygame.KEYDOWN and event.key in DIRECTIONS:
                self._held.add(event.key)
                # A key released before the next frame still counts once.
                self._tapped.add(event.key)
            elif event.type == pygame.KEYUP:
                self._held.discard(event.key)
            elif event.type == pygame.WINDOWFOCUSLOST:
                self._held.clear()
                self._tapped.clear()
        return True

    def _send_move(self) -> None:
        directions = {DIRECTIONS[key] for key in self._held | self._tapped}
        self._tapped.clear()
        dx = STEP_PIXELS * sum(x for x, _ in directions)
        dy = STEP_PIXELS * sum(y for _, y in directions)
        if dx or dy:
            self._link.move(dx, dy)
