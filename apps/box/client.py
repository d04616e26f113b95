"""The desktop client's link to a server: what it last said, and the moves on their way to it.

A lost link is opened again by itself. The server gives back colour and place to who shows
the token of the same `introduction`.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import ws6455
from apps.box import wire

# The first tries follow at once: most breaks are short, and a player is waiting.
RETRY_DELAYS = (0.1, 0.25, 0.5, 1.0, 2.0)


def introduction(name: str = "") -> str:
    """Give an address's query with a new secret token and the player's name (or none)."""
    return urlencode({"resume": secrets.token_urlsafe(16), "name": name})


class Link:
    """The game as the server last told it; reading it and `move` never wait.

    `reopen` gives a new connection after one is lost, or raises what ``ws6455.connect`` raises.
    """

    def __init__(self, reopen: Callable[[], Awaitable[ws6455.ClientConnection]]) -> None:
        self.color = ""
        self.boxes: dict[str, wire.Box] = {}
        self.names: dict[str, str] = {}
        self.trouble: str | None = "Connecting…"
        self._reopen = reopen
        self._connection: ws6455.ClientConnection | None = None
        self._retries = 0
        self._move = (0, 0)
        self._moved = asyncio.Event()

    @property
    def latency(self) -> float | None:
        """The latest round trip in seconds, None while it is not known."""
        if self.trouble is not None or self._connection is None:
            return None
        return self._connection.latency or None

    def move(self, dx: int, dy: int) -> None:
        """Ask for a move of `dx`, `dy` pixels; one that is still waiting to go out is dropped."""
        self._move = (dx, dy)
        self._moved.set()

    async def run(self, connection: ws6455.ClientConnection) -> None:
        """Play on `connection`, then on new ones, until cancelled; then leave the game."""
        while True:
            self._connection = connection
            await self._play(connection)
            reason = connection.close_reason
            self.trouble = f"{reason} Reconnecting…" if reason else "Reconnecting…"
            connection = await self._reconnect()

    async def _play(self, connection: ws6455.ClientConnection) -> None:
        """Take what the server says until the link is lost; closed by us, it says good-bye."""
        self._moved.clear()
        mover = asyncio.create_task(self._send_moves(connection))
        try:
            async for message in connection:
                self._take(message)
        except (ws6455.ConnectionClosed, wire.WireError):
            pass
        finally:
            mover.cancel()
            await connection.close()

    async def _reconnect(self) -> ws6455.ClientConnection:
        while True:
            delay = RETRY_DELAYS[min(self._retries, len(RETRY_DELAYS) - 1)]
            self._retries += 1
            # Not all clients of a server that restarts come back at the same moment.
            await asyncio.sleep(delay * random.uniform(0.75, 1.25))
            try:
                return await self._reopen()
            except (OSError, ws6455.WebSocketException):
                continue

    async def _send_moves(self, connection: ws6455.ClientConnection) -> None:
        try:
            while True:
                await self._moved.wait()
                self._moved.clear()
                await connection.send(wire.move(*self._move))
        except ws6455.ConnectionClosed:
            pass

    def _take(self, message: str | bytes) -> None:
        match wire.parse_from_server(message):
            case wire.YourColor(color):
                self.color = color
                self.trouble = None
                self._retries = 0
            case wire.Positions(boxes):
                self.boxes = boxes
            case wire.Names(names):
                self.names = names
