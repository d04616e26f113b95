"""Broker for a service that is a single process."""

from __future__ import annotations

import asyncio

from .broker import Broker

__all__ = ["MemoryBroker"]


class MemoryBroker(Broker):
    """A broker within one process, for tests and for services that have only one process.

    Messages are encoded in JSON here too, so that a program that works with this broker also
    works with :class:`RedisBroker`.

    Args:
        logger: the logger; by default ``logging.getLogger("ws6455.hub")``.
    """

    def _open(self) -> None:
        self._all_subscribed.set()

    async def _close(self) -> None:
        pass  # _deliver() drops pending messages

    async def _send(self, channel: bytes, payload: bytes) -> None:
        asyncio.get_running_loop().call_soon(self._deliver, channel.decode(), payload)

    def _deliver(self, channel: str, payload: bytes) -> None:
        if not self._closed:
            self._subscriptions.deliver(channel, payload)

    def _subscriptions_changed(self, added: bool) -> None:
        pass  # there is no server to inform
