"""Base class of brokers, which carry messages between the processes of one service."""

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
    """The broker cannot carry messages: it is not open, or its server does not answer."""


class Broker(ABC):
    """Carries messages between the processes of one service, each at most once.

    A broker is an asynchronous context manager. It can be entered once and belongs to one event
    loop. A new callback receives all messages that are published once the broker is healthy
    again, and possibly earlier ones. Messages published while the connection is down are lost.

    A message is a JSON value: None, bool, int, float, str, or a list or dict of these. Each
    callback receives its own copy, decoded from JSON: a tuple becomes a list, and the keys of a
    dict become strings.

    This is the abstract base class of :class:`MemoryBroker` and :class:`RedisBroker`.

    Args:
        logger: the logger; by default ``logging.getLogger("ws6455.hub")``.
    """

    def __init__(self, *, logger: LoggerLike | None = None) -> None:
        self._logger = logger or logging.getLogger("ws6455.hub")
        self._subscriptions = Subscriptions(self._logger, self._subscriptions_changed)
        # Set while every subscription is confirmed, and after closing, to end wait_healthy().
        self._all_subscribed = asyncio.Event()
        self._opened = False
        self._closed = False

    @property
    def healthy(self) -> bool:
        """True if messages published now, by any process, reach every callback of this process."""
        return self._all_subscribed.is_set() and not self._closed

    async def wait_healthy(self) -> None:
        """Wait until the broker is healthy.

        Raises:
            BrokerUnavailable: if the broker is closed, before or during the wait.
        """
        if not self._closed:
            await self._all_subscribed.wait()
        if self._closed:
            raise BrokerUnavailable("the broker is closed")

    async def publish(self, channel: str, message: Any) -> None:
        """Send a message to the subscribers of a channel in all processes, including this one.

        Callbacks are called by the event loop, not by this method.

        Args:
            channel: the name of the channel.
            message: a JSON value.

        Raises:
            BrokerUnavailable: if the message was not accepted, or this was not confirmed.
            TypeError: if JSON does not support a type in the message.
            ValueError: if JSON or UTF-8 does not support a value: a float that is not a finite
                number, a lone surrogate, a list that contains itself.
        """
        name, payload = channel.encode(), encode(message)
        if not self._opened or self._closed:
            raise BrokerUnavailable("the broker is not open")
        await self._send(name, payload)

    def subscribe(self, channel: str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Subscribe a callback to the messages of a channel.

        This is possible before the broker is open, and while its connection is down.

        Args:
            channel: the name of the channel.
            callback: a plain function, called with each message. It runs in the event loop and
                must not block. Its exceptions are logged.

        Returns:
            A function that ends the subscription. Calling it again does nothing.

        Raises:
            TypeError: if the callback is a coroutine function.
            ValueError: if the channel's name cannot be encoded in UTF-8.
        """
        return self._subscriptions.add(channel, callback)

    async def __aenter__(self) -> Self:
        """Open the broker. This does not wait until it is healthy.

        Raises:
            RuntimeError: if it has been opened before.
        """
        if self._opened:
            raise RuntimeError("a broker can be opened only once")
        self._opened = True
        self._open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the broker. No callback is called afterwards."""
        self._closed = True
        try:
            await self._close()
        finally:
            self._all_subscribed.set()

    @abstractmethod
    def _open(self) -> None:
        """Start to connect."""

    @abstractmethod
    async def _close(self) -> None:
        """Release all resources."""

    @abstractmethod
    async def _send(self, channel: bytes, payload: bytes) -> None:
        """Publish a payload, or raise BrokerUnavailable."""

    @abstractmethod
    def _subscriptions_changed(self, added: bool) -> None:
        """Handle a channel that was added with its first callback, or removed with its last."""
