"""The box game's server: the players' seats, 60 world steps a second, and the JSON messages.

Each client has its own task, which sends it the newest snapshot as fast as the connection
allows. A slow client skips snapshots and does not delay the others.
"""

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import parse_qs

import ws6455
from apps.box import wire
from apps.box.world import STEPS_PER_SECOND, Player, World, WorldFullError
from apps.names import clean_name
from apps.serving import WrongMessages

# Seconds within which a disconnected player may resume.
GRACE = 30.0
# The longest name, in characters.
MAX_NAME = 16
# Close code of a connection whose player has resumed on a newer one.
RESUMED_ELSEWHERE = 4001

_STEP_TIME = 1 / STEPS_PER_SECOND
# 22 characters of this alphabet hold 132 bits.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")


@dataclass(eq=False, slots=True)
class Seat:
    """A player's place in the game. With a resume token it outlives the connection."""

    player: Player
    token: str | None
    connection: ws6455.ServerConnection | None = None
    expiry: asyncio.TimerHandle | None = None


class Game:
    """One world and the clients that play in it.

    ``handle`` is the connection handler and ``run`` steps the world; both must run on the same
    event loop. ``grace`` is the time in seconds for which the colour and place of a
    disconnected player are kept.
    """

    def __init__(self, grace: float = GRACE) -> None:
        self.world = World()
        self._grace = grace
        self._seats: dict[str, Seat] = {}
        self._moves: dict[str, tuple[int, int]] = {}
        self._snapshot = wire.positions(())
        self._names = wire.names(())
        self._published = asyncio.Event()

    async def run(self) -> None:
        """Step the world 60 times a second until cancelled, without drift."""
        loop = asyncio.get_running_loop()
        deadline = loop.time()
        while True:
            # A step that is late by more than one step is not made up for.
            deadline = max(deadline + _STEP_TIME, loop.time())
            await asyncio.sleep(deadline - loop.time())
            moves, self._moves = self._moves, {}
            if self.world.step(moves):
                self._publish()

    async def handle(self, connection: ws6455.ServerConnection) -> None:
        """Serve one client for the lifetime of its connection."""
        assert connection.request is not None
        query = parse_qs(connection.request.path.partition("?")[2], keep_blank_values=True)
        name = query.get("name", [None])[0]
        token = query.get("resume", [None])[0]
        if token is not None and not _TOKEN.fullmatch(token):
            await connection.close(1008, "resume: 22 to 64 characters of A-Z a-z 0-9 - _")
            return
        try:
            seat = self._take_seat(connection, token, name or "")
        except WorldFullError as error:
            await connection.close(1013, str(error))
            return
        try:
            await self._play(connection, seat, with_names=name is not None)
        except ws6455.ConnectionClosed:
            pass
        finally:
            self._release_seat(connection, seat)

    async def _play(
        self, connection: ws6455.ServerConnection, seat: Seat, *, with_names: bool
    ) -> None:
        snapshot = self._snapshot
        await connection.send(wire.your_color(seat.player.color))
        await connection.send(snapshot)
        sender = asyncio.create_task(self._send(connection, seat, snapshot, with_names=with_names))
        try:
            await self._receive(connection, seat.player)
        finally:
            sender.cancel()

    async def _receive(self, connection: ws6455.ServerConnection, player: Player) -> None:
        wrong_messages = WrongMessages(connection)
        async for message in connection:
            try:
                request = wire.parse_from_client(message)
            except wire.WireError as error:
                await wrong_messages.reject(wire.error(str(error)))
                continue
            wrong_messages.reset()
            match request:
                case wire.Move(dx, dy):
                    x, y = self._moves.get(player.id, (0, 0))
                    self._moves[player.id] = (x + dx, y + dy)
                case wire.Ping(number):
                    await connection.send(wire.pong(number))

    async def _send(
        self,
        connection: ws6455.ServerConnection,
        seat: Seat,
        snapshot: str,
        *,
        with_names: bool,
    ) -> None:
        """Send the newest snapshot and names whenever they change, until the client is gone.

        ``snapshot`` is the one that the client has already received.
        """
        names = ""
        try:
            while seat.connection is connection:
                published = self._published
                if snapshot != self._snapshot:
                    snapshot = self._snapshot
                    await connection.send(snapshot)
                if with_names and names != self._names:
                    names = self._names
                    await connection.send(names)
                await published.wait()
            await connection.close(RESUMED_ELSEWHERE, "Resumed on another connection.")
        except ws6455.ConnectionClosed:
            pass

    def _take_seat(self, connection: ws6455.ServerConnection, token: str | None, name: str) -> Seat:
        name = (clean_name(name) or "")[:MAX_NAME]
        seat = self._seats.get(token) if token is not None else None
        if seat is None:
            seat = Seat(self.world.join(name), token)
            if token is not None:
                self._seats[token] = seat
        if seat.expiry is not None:
            seat.expiry.cancel()
        seat.connection = connection
        seat.player.name = name
        seat.player.away = False
        self._publish()
        return seat

    def _release_seat(self, connection: ws6455.ServerConnection, seat: Seat) -> None:
        if seat.connection is not connection:
            return
        seat.connection = None
        seat.player.away = True
        # Code 1000 means that the player has left. After any other end a token can resume.
        if seat.token is None or connection.close_code == 1000:
            self._leave(seat)
        else:
            loop = asyncio.get_running_loop()
            seat.expiry = loop.call_later(self._grace, self._leave, seat)
        self._publish()

    def _leave(self, seat: Seat) -> None:
        self.world.leave(seat.player.id)
        if seat.token is not None:
            del self._seats[seat.token]

    def _publish(self) -> None:
        self._snapshot = wire.positions(self.world.players.values())
        self._names = wire.names(self.world.players.values())
        published, self._published = self._published, asyncio.Event()
        published.set()
