"""The listener: keeps this process subscribed at Redis, through every loss of the connection.

Redis-py is behind `redis_connection`.
"""

from __future__ import annotations

import asyncio
import traceback
from typing import TYPE_CHECKING, NoReturn

from ..client.reconnecting import backoff
from ..typing import LoggerLike
from .broker import BrokerUnavailable
from .subscriptions import Subscriptions

if TYPE_CHECKING:
    from .redis_connection import RedisAddress, RedisConnection

__all__ = ["RedisListener"]

# Seconds. A Redis that has restarted shall be found again within six, handshake included.
_LONGEST_DELAY = 2.0


class RedisListener:
    """Receives what is published, on a connection of its own.

    Two tasks share the connection. One only reads. The other asks for what has been subscribed to
    or left since, and sends a PING now and then: without an answer the connection is given up, so
    a link that swallows everything is noticed.

    Args:
        address: of Redis.
        subscriptions: whose channels to be subscribed to.
        all_subscribed: set here while Redis has confirmed every subscription.
        prefix: of a channel's name at Redis.
        ping_interval: seconds.
        logger: where a loss and a return are told.
    """

    def __init__(
        self,
        address: RedisAddress,
        subscriptions: Subscriptions,
        all_subscribed: asyncio.Event,
        *,
        prefix: str,
        ping_interval: float,
        logger: LoggerLike,
    ) -> None:
        self._address = address
        self._subscriptions = subscriptions
        self._all_subscribed = all_subscribed
        self._prefix = prefix
        self._ping_interval = ping_interval
        self._logger = logger
        self._changed = asyncio.Event()
        self._unconfirmed = 0
        self._heard = False
        self._lost = False
        self._new_delays()

    def subscriptions_changed(self, added: bool) -> None:
        """Ask Redis for what has changed, soon.

        Args:
            added: whether there is a channel more, which Redis has to confirm.
        """
        self._changed.set()
        if added:
            self._all_subscribed.clear()

    async def run(self) -> NoReturn:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except BrokerUnavailable as exc:
                self._tell_loss(str(exc))
            except Exception as exc:
                self._logger.error(
                    "the listener failed and goes on:\n%s",
                    self._address.redact("".join(traceback.format_exception(exc))),
                )
                self._tell_loss(type(exc).__name__)
            delay = next(self._delays)
            self._logger.debug("connecting again in %.1f seconds", delay)
            await asyncio.sleep(delay)

    async def _listen(self) -> NoReturn:
        """Connect, subscribe and receive, until that fails."""
        connection = await self._address.connect()
        self._unconfirmed = 0
        tasks = [
            asyncio.create_task(self._receive(connection)),
            asyncio.create_task(self._keep(connection)),
        ]
        try:
            # Not a TaskGroup: before Python 3.13 it loses a cancellation that meets a failure.
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await ended.pop()
        finally:
            self._all_subscribed.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await connection.close()

    async def _receive(self, connection: RedisConnection) -> NoReturn:
        """Deliver what is published, and note what Redis confirms."""
        while True:
            answer = await connection.receive()
            self._heard = True
            match answer:
                case [b"message", bytes(channel), bytes(payload)]:
                    name = channel.decode().removeprefix(self._prefix)
                    self._subscriptions.deliver(name, payload)
                case [b"subscribe", *_]:
                    self._unconfirmed -= 1
                    self._judge()
                # All others answer a PING or an unsubscription. That they came is what counts.

    async def _keep(self, connection: RedisConnection) -> NoReturn:
        """Subscribe and unsubscribe as it is wanted, and see that Redis answers."""
        loop = asyncio.get_running_loop()
        next_ping = loop.time() + self._ping_interval
        self._heard = True
        subscribed: set[str] = set()
        while True:
            self._changed.clear()
            wanted = self._subscriptions.channels()
            if new := wanted - subscribed:
                self._unconfirmed += len(new)
                await connection.send("SUBSCRIBE", *self._names(new))
            if left := subscribed - wanted:
                await connection.send("UNSUBSCRIBE", *self._names(left))
            subscribed = wanted
            self._judge()
            try:
                async with asyncio.timeout_at(next_ping):
                    await self._changed.wait()
            except TimeoutError:
                if not self._heard:
                    raise self._address.unavailable(
                        f"nothing came within {self._ping_interval} seconds of a PING"
                    ) from None
                self._heard = False
                await connection.send("PING")
                next_ping = loop.time() + self._ping_interval

    def _names(self, channels: set[str]) -> list[bytes]:
        """Return the names of channels at Redis."""
        return [(self._prefix + channel).encode() for channel in channels]

    def _judge(self) -> None:
        """Note when all that is wanted has been asked for, and all of that is confirmed."""
        if self._unconfirmed or self._changed.is_set() or self._all_subscribed.is_set():
            return
        self._all_subscribed.set()
        self._new_delays()
        if self._lost:
            self._lost = False
            self._logger.info("listening to Redis at %s again", self._address.name)

    def _tell_loss(self, reason: str) -> None:
        """Log the first failure as a loss, and those until it is mended as attempts."""
        if self._lost:
            self._logger.debug("another attempt failed: %s", reason)
            return
        self._lost = True
        self._logger.warning("nothing comes from other processes until Redis is back: %s", reason)

    def _new_delays(self) -> None:
        self._delays = backoff(initial_delay=0.5, min_delay=0.25, max_delay=_LONGEST_DELAY)
