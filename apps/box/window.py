"""The desktop client's window: 60 frames a second of what the link knows, and the keys.

It shares its thread with asyncio: nothing here waits but for the time of the next frame.
"""

import asyncio

import pygame

from apps.box.client import Link
from apps.box.picture import Picture
from apps.box.world import HEIGHT, STEP_PIXELS, WIDTH

FRAME_TIME = 1 / 60  # seconds

WAYS = {
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
    """An 800 x 600 window on the game that `link` plays, gone after `run`.

    Raises:
        pygame.error: it cannot be opened on this display.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        # The display and the fonts only: pygame.init() would open the sound device as well.
        pygame.display.init()
        pygame.font.init()
        pygame.display.set_caption("Box")
        self._picture = Picture(pygame.display.set_mode((WIDTH, HEIGHT)))
        self._held: set[int] = set()
        self._tapped: set[int] = set()

    async def run(self) -> None:
        """Show frames, and send a move for each in which a key is held, until it is closed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time()
        try:
            while self._follow_events():
                self._send_move()
                self._picture.draw(self._link)
                pygame.display.flip()
                # A late frame is not made up for; even then the loop gets its turn.
                deadline = max(deadline + FRAME_TIME, loop.time())
                await asyncio.sleep(deadline - loop.time())
        finally:
            pygame.font.quit()
            pygame.display.quit()

    def _follow_events(self) -> bool:
        """Note which keys are held; give False when the window was closed."""
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                return False
            if event.type == pygame.KEYDOWN and event.key in WAYS:
                self._held.add(event.key)
                # It may go up again before the next frame: it still counts once.
                self._tapped.add(event.key)
            elif event.type == pygame.KEYUP:
                self._held.discard(event.key)
            elif event.type == pygame.WINDOWFOCUSLOST:
                self._held.clear()
                self._tapped.clear()
        return True

    def _send_move(self) -> None:
        ways = {WAYS[key] for key in self._held | self._tapped}
        self._tapped.clear()
        dx = STEP_PIXELS * sum(x for x, _ in ways)
        dy = STEP_PIXELS * sum(y for _, y in ways)
        if dx or dy:
            self._link.move(dx, dy)
