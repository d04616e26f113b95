"""The subscriptions of this process, and the JSON encoding of messages.

RFC 8259. NaN and Infinity, which it does not allow, are neither sent nor accepted.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any, NoReturn

from ..typing import LoggerLike

__all__ = ["Subscriptions", "encode"]

Callback = Callable[[Any], object]


def encode(message: Any) -> bytes:
    """Return a message as JSON in UTF-8.

    Raises:
        TypeError: if JSON does not support a type in the message.
        ValueError: if JSON or UTF-8 does not support a value in the message.
    """
    try:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise ValueError("the message is nested too deeply") from None
    return text.encode()


def decode(payload: bytes) -> Any:
    """Decode a payload and return the message.

    Raises:
        ValueError: if it is not UTF-8, not JSON, or nested too deeply.
    """
    try:
        return json.loads(payload.decode(), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


class Subscriptions:
    """The callbacks of each channel.

    Args:
        logger: logs exceptions of callbacks, and invalid payloads.
        changed: called with True when a channel gets its first callback, and with False when it
            loses its last.
    """

    def __init__(self, logger: LoggerLike, changed: Callable[[bool], None]) -> None:
        self._logger = logger
        self._changed = changed
        self._callbacks: dict[str, dict[object, Callback]] = {}

    def channels(self) -> set[str]:
        """Return the channels that have callbacks."""
        return set(self._callbacks)

    def add(self, channel: str, callback: Callback) -> Callable[[], None]:
        """Add a callback; see :meth:`ws6455.hub.Broker.subscribe`."""
        if inspect.iscoroutinefunction(callback):
            raise TypeError("the callback must be a plain function, not a coroutine function")
        channel.encode()  # raises now, rather than when the subscription is sent
        key = object()
        if channel in self._callbacks:
            self._callbacks[channel][key] = callback
        else:
            self._callbacks[channel] = {key: callback}
            self._changed(True)

        def remove() -> None:
            callbacks = self._callbacks.get(channel, {})
            if callbacks.pop(key, None) is not None and not callbacks:
                del self._callbacks[channel]
                self._changed(False)

        return remove

    def deliver(self, channel: str, payload: bytes) -> None:
        """Call the callbacks of a channel, each with its own copy of the message.

        An invalid payload is skipped. The log shows its size, not its content.
        """
        callbacks = self._callbacks.get(channel, {})
        for key in list(callbacks):
            callback = callbacks.get(key)
            if callback is None:
                continue  # removed by an earlier callback
            try:
                message = decode(payload)
            except ValueError as exc:
                self._logger.warning(
                    "invalid message on channel %r, %d bytes: %s", channel, len(payload), exc
                )
                return
            try:
                callback(message)
            except Exception:
                self._logger.exception("a callback of channel %r failed", channel)
