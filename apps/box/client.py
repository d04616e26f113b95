"""The desktop client's connection: the game state received and the moves to send.

A lost connection is reopened automatically. The resume token in the URL gives the player the
same colour and place again.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import ws6455
from apps.box import wire

# The first retries come quickly: most interruptions are short, and a player is waiting.
RETRY_DELAYS = (0.1, 0.25, 0.5, 1.0, 2.0)


def player_query(name: str = "") -> str:
    """Return a URL query with a new resume token and the player's name, which may be empty."""
    return urlencode({"resume": secrets.token_urlsafe(16), "name": name})


class Link:
    """The latest state of the game; reading it and calling `move` never block.

    `reopen` opens a new connection after one is lost; it raises what ``ws6455.connect`` raises.
    `trouble` is the text of the banner while the player is not connected, else None.
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
        """The latest round trip in seconds; None while it is unknown."""
        if self.trouble is not None or self._connection is None:
            return None
        return self._connection.latency or None

    def move(self, dx: int, dy: int) -> None:
        """Request a move of `dx`, `dy` pixels; replaces a move that has not been sent yet."""
        self._move = (dx, dy)
        self._moved.set()

    async def run(self, connection: ws6455.ClientConnection) -> None:
        """Play on `connection`, and on new ones after a loss, until cancelled."""
        while True:
            self._connection = connection
            await self._play(connection)
            reason = connection.close_reason
            self.trouble = f"{reason} Reconnecting…" if reason else "Reconnecting…"
            connection = await self._reconnect()

    async def _play(self, connection: ws6455.ClientConnection) -> None:
        """Handle messages until the connection is lost; close it normally when cancelled."""
        self._moved.clear()
        mover = asyncio.create_task(self._send_moves(connection))
        try:
            async for message in connection:
                self._handle_message(message)
        except (ws6455.ConnectionClosed, wire.WireError):
            pass
        finally:
            mover.cancel()
            await connection.close()

    async def _reconnect(self) -> ws6455.ClientConnection:
        while True:
            delay = RETRY_DELAYS[min(self._retries, len(RETRY_DELAYS) - 1)]
            self._retries += 1
            # Jitter: clients must not all reconnect at once when a server restarts.
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

    def _handle_message(self, message: str | bytes) -> None:
        match wire.parse_from_server(message):
            case wire.YourColor(color):
                self.color = color
                self.trouble = None
                self._retries = 0
            case wire.Positions(boxes):
                self.boxes = boxes
            case wire.Names(names):
                self.names = names
