"""Broker for a service of several processes, which connect to the same Redis."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from ..typing import LoggerLike
from .broker import Broker
from .redis_listener import RedisListener
from .redis_publisher import RedisPublisher

__all__ = ["RedisBroker"]


class RedisBroker(Broker):
    """A broker that connects all processes with the same Redis and prefix.

    It has two connections, one to publish and one to listen. The loss of the listening connection
    is logged once, and `healthy` is False until the connection is restored. The broker reconnects
    after at most 2 seconds and never gives up, whatever the error.

    Args:
        url: ``redis://``, ``rediss://`` (TLS) or ``unix://``, in the format of redis-py. All
            databases of a Redis share their channels.
        prefix: prefix of the channel names at Redis, to separate services that share a Redis.
        ping_interval: seconds between the pings on the listening connection. If nothing is
            received for two intervals, not even the answer to a ping, the connection is closed.
        timeout: seconds to connect, and to publish a message.
        logger: the logger; by default ``logging.getLogger("ws6455.hub")``.

    Raises:
        ImportError: if redis-py is not installed.
        ValueError: if the URL is not a Redis URL, or has options that redis-py does not support.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "ws6455:",
        ping_interval: float = 5.0,
        timeout: float = 3.0,
        logger: LoggerLike | None = None,
    ) -> None:
        try:
            from .redis_connection import RedisAddress
        except ImportError as exc:
            raise ImportError("RedisBroker needs redis-py: pip install 'ws6455[redis]'") from exc
        super().__init__(logger=logger)
        address = RedisAddress(url, timeout)
        self._prefix = prefix
        self._publisher = RedisPublisher(address)
        self._listener = RedisListener(
            address,
            self._subscriptions,
            self._all_subscribed,
            prefix=prefix,
            ping_interval=ping_interval,
            logger=self._logger,
        )
        self._listening: asyncio.Task[NoReturn] | None = None

    def _open(self) -> None:
        self._listening = asyncio.create_task(self._listener.run())

    async def _close(self) -> None:
        assert self._listening is not None  # created by _open()
        self._listening.cancel()
        await asyncio.gather(asyncio.wait([self._listening]), self._publisher.close())

    async def _send(self, channel: bytes, payload: bytes) -> None:
        await self._publisher.publish(self._prefix.encode() + channel, payload)

    def _subscriptions_changed(self, added: bool) -> None:
        self._listener.subscriptions_changed(added)
