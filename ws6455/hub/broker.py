"""What a broker is: it carries messages between the processes of one service."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from ..typing import LoggerLike
from .subscriptions import Subscriptions, encode

__all__ = ["Broker", "BrokerUnavailable"]


class BrokerUnavailable(ConnectionError):
    """The broker cannot carry messages now: nobody answers, or it is not open."""


class Broker(ABC):
    """Carries messages between the processes of one service, each at most once.

    It is open within ``async with``, once, and belongs to one event loop. Who subscribes gets what
    is published once the broker is healthy again, and perhaps what was under way. What is
    published while the connection is down is lost.

    A message is what JSON can say: None, bool, int, float, str, and lists and dicts of them. Each
    callback gets a copy of its own, as JSON gives it back: a tuple comes as a list, and the keys
    of a dict come as strings.

    This class is what all brokers share; :class:`MemoryBroker` and :class:`RedisBroker` carry.

    Args:
        logger: instead of ``logging.getLogger("ws6455.hub")``.
    """

    def __init__(self, *, logger: LoggerLike | None = None) -> None:
        self._logger = logger or logging.getLogger("ws6455.hub")
        self._subscriptions = Subscriptions(self._logger, self._subscriptions_changed)
        # Set while every subscription is made; and at the end, for those who wait.
        self._all_subscribed = asyncio.Event()
        self._opened = False
        self._closed = False

    @property
    def healthy(self) -> bool:
        """Whether what is published now, by any process, reaches every callback here."""
        return self._all_subscribed.is_set() and not self._closed

    async def wait_healthy(self) -> None:
        """Wait until the broker is healthy.

        Raises:
            BrokerUnavailable: if it is closed, now or meanwhile.
        """
        if not self._closed:
            await self._all_subscribed.wait()
        if self._closed:
            raise BrokerUnavailable("the broker is closed")

    async def publish(self, channel: str, message: Any) -> None:
        """Send a message to the subscribers of a channel, in all processes, this one too.

        Their callbacks are called later, not from here.

        Args:
            channel: any name.
            message: what JSON can say.

        Raises:
            BrokerUnavailable: if the message was not taken, or no answer says that it was.
            TypeError: if JSON has no such type.
            ValueError: if JSON or UTF-8 cannot say it: a float that is no number, a lone
                surrogate, a list within itself.
        """
        name, payload = channel.encode(), encode(message)
        if not self._opened or self._closed:
            raise BrokerUnavailable("the broker is not open")
        await self._send(name, payload)

    def subscribe(self, channel: str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Have a callback called with each message of a channel.

        This may be done before the broker is open, and while its connection is down.

        Args:
            channel: any name.
            callback: a plain function. It is called in the event loop, so it may not take long.
                What it raises is logged.

        Returns:
            What ends this subscription. Calling it again does nothing.

        Raises:
            TypeError: if the callback is a coroutine function: nobody would await it.
            ValueError: if UTF-8 cannot say the channel's name.
        """
        return self._subscriptions.add(channel, callback)

    async def __aenter__(self) -> Self:
        """Open the broker. It may take a while to be healthy.

        Raises:
            RuntimeError: if it has been opened before.
        """
        if self._opened:
            raise RuntimeError("a broker is opened once")
        self._opened = True
        self._open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the broker. No callback is called any more."""
        self._closed = True
        try:
            await self._close()
        finally:
            self._all_subscribed.set()

    @abstractmethod
    def _open(self) -> None:
        """Begin to connect."""

    @abstractmethod
    async def _close(self) -> None:
        """Leave nothing behind."""

    @abstractmethod
    async def _send(self, channel: bytes, payload: bytes) -> None:
        """Publish a payload, or raise BrokerUnavailable."""

    @abstractmethod
    def _subscriptions_changed(self, added: bool) -> None:
        """Take note of a channel that has its first callback, or has lost its last."""
