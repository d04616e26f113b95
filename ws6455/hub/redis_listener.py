"""The listener, which keeps this process subscribed at Redis and reconnects after every loss.

It uses redis-py only through `redis_connection`.
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

# Seconds. After a restart of Redis, the listener must be subscribed again within 6 seconds.
_MAX_DELAY = 2.0


class RedisListener:
    """Receives published messages on a connection of its own.

    Two tasks share the connection. One only reads. The other sends SUBSCRIBE and UNSUBSCRIBE when
    the subscriptions change, and PING at regular intervals. If nothing is received after a PING,
    the connection is closed, so that a dead link is noticed.

    Args:
        address: the address of Redis.
        subscriptions: the channels to subscribe to, and their callbacks.
        all_subscribed: set by the listener while Redis has confirmed every subscription.
        prefix: prefix of the channel names at Redis.
        ping_interval: seconds between pings.
        logger: logs the loss and the restoration of the connection.
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
        self._has_received = False  # since the last PING
        self._is_lost = False
        self._reset_delays()

    def subscriptions_changed(self, added: bool) -> None:
        """Update the subscriptions at Redis soon.

        Args:
            added: whether a channel was added, which Redis has to confirm.
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
                self._log_loss(str(exc))
            except Exception as exc:
                self._logger.error(
                    "unexpected error in the listener, which reconnects:\n%s",
                    self._address.redact("".join(traceback.format_exception(exc))),
                )
                self._log_loss(type(exc).__name__)
            delay = next(self._delays)
            self._logger.debug("reconnecting in %.1f seconds", delay)
            await asyncio.sleep(delay)

    async def _listen(self) -> NoReturn:
        """Connect, subscribe and receive until the connection fails."""
        connection = await self._address.connect()
        self._unconfirmed = 0
        tasks = [
            asyncio.create_task(self._receive(connection)),
            asyncio.create_task(self._maintain(connection)),
        ]
        try:
            # Not a TaskGroup: before Python 3.13 it loses a cancellation during a failure.
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await ended.pop()
        finally:
            self._all_subscribed.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await connection.close()

    async def _receive(self, connection: RedisConnection) -> NoReturn:
        """Deliver messages, and count the confirmed subscriptions."""
        while True:
            reply = await connection.receive()
            self._has_received = True
            match reply:
                case [b"message", bytes(channel), bytes(payload)]:
                    name = channel.decode().removeprefix(self._prefix)
                    self._subscriptions.deliver(name, payload)
                case [b"subscribe", *_]:
                    self._unconfirmed -= 1
                    self._update_health()
                # Other replies answer a PING or an UNSUBSCRIBE. Only their arrival matters.

    async def _maintain(self, connection: RedisConnection) -> NoReturn:
        """Update the subscriptions when they change, and check that Redis answers pings."""
        loop = asyncio.get_running_loop()
        next_ping = loop.time() + self._ping_interval
        self._has_received = True
        subscribed: set[str] = set()
        while True:
            self._changed.clear()
            wanted = self._subscriptions.channels()
            if added := wanted - subscribed:
                self._unconfirmed += len(added)
                await connection.send("SUBSCRIBE", *self._redis_names(added))
            if removed := subscribed - wanted:
                await connection.send("UNSUBSCRIBE", *self._redis_names(removed))
            subscribed = wanted
            self._update_health()
            try:
                async with asyncio.timeout_at(next_ping):
                    await self._changed.wait()
            except TimeoutError:
                if not self._has_received:
                    raise self._address.unavailable(
                        f"nothing received within {self._ping_interval} seconds of a PING"
                    ) from None
                self._has_received = False
                await connection.send("PING")
                next_ping = loop.time() + self._ping_interval

    def _redis_names(self, channels: set[str]) -> list[bytes]:
        """Return the names of channels at Redis, with the prefix."""
        return [(self._prefix + channel).encode() for channel in channels]

    def _update_health(self) -> None:
        """Set `all_subscribed` once every subscription has been sent and confirmed."""
        if self._unconfirmed or self._changed.is_set() or self._all_subscribed.is_set():
            return
        self._all_subscribed.set()
        self._reset_delays()
        if self._is_lost:
            self._is_lost = False
            self._logger.info("listening to Redis at %s again", self._address.name)

    def _log_loss(self, reason: str) -> None:
        """Log the first failure as a warning, and later failures as attempts to reconnect."""
        if self._is_lost:
            self._logger.debug("another attempt failed: %s", reason)
            return
        self._is_lost = True
        self._logger.warning(
            "no messages are received from other processes until Redis is back: %s", reason
        )

    def _reset_delays(self) -> None:
        self._delays = backoff(initial_delay=0.5, min_delay=0.25, max_delay=_MAX_DELAY)
