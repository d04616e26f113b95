"""The broker of a service of several processes, which meet at a Redis."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from ..typing import LoggerLike
from .broker import Broker
from .redis_listener import RedisListener
from .redis_publisher import RedisPublisher

__all__ = ["RedisBroker"]


class RedisBroker(Broker):
    """Carries messages between the processes that name the same Redis and prefix.

    It has two connections: one publishes, the other listens. When the listener's is lost that is
    logged, once, and `healthy` is False until it is back: it tries again after at most
    2 seconds, for ever, whatever is the matter. The process itself goes on meanwhile.

    Args:
        url: ``redis://``, ``rediss://`` (TLS) or ``unix://``, as redis-py reads it. A channel is
            the same in every database of a Redis.
        prefix: of every channel's name at Redis, to tell services apart that share it.
        ping_interval: seconds between the listener's pings. If nothing comes for two intervals, a
            ping's answer neither, the connection is given up.
        timeout: seconds for connecting, and for a message to be taken.
        logger: instead of ``logging.getLogger("ws6455.hub")``.

    Raises:
        ImportError: if redis-py is not installed.
        ValueError: if the URL is none of Redis, or has options that redis-py does not know.
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
        assert self._listening is not None  # _open has made it
        self._listening.cancel()
        await asyncio.gather(asyncio.wait([self._listening]), self._publisher.close())

    async def _send(self, channel: bytes, payload: bytes) -> None:
        await self._publisher.publish(self._prefix.encode() + channel, payload)

    def _subscriptions_changed(self, added: bool) -> None:
        self._listener.subscriptions_changed(added)
