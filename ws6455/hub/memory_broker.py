"""The broker of a service that is one process."""

from __future__ import annotations

import asyncio

from .broker import Broker

__all__ = ["MemoryBroker"]


class MemoryBroker(Broker):
    """Carries messages within this process: for tests, and for a service that has no other.

    Messages take the way through JSON here too: what works with this broker works with
    :class:`RedisBroker`.

    Args:
        logger: instead of ``logging.getLogger("ws6455.hub")``.
    """

    def _open(self) -> None:
        self._all_subscribed.set()

    async def _close(self) -> None:
        pass  # what is under way is dropped on arrival

    async def _send(self, channel: bytes, payload: bytes) -> None:
        asyncio.get_running_loop().call_soon(self._deliver, channel.decode(), payload)

    def _deliver(self, channel: str, payload: bytes) -> None:
        if not self._closed:
            self._subscriptions.deliver(channel, payload)

    def _subscriptions_changed(self, added: bool) -> None:
        pass  # nobody has to be asked
