"""Who has subscribed to what in this process, and the JSON that they get.

RFC 8259: what is not in it (NaN, Infinity) is neither sent nor taken.
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
        TypeError: if JSON has no such type.
        ValueError: if JSON or UTF-8 cannot say it.
    """
    try:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise ValueError("the message is nested too deeply") from None
    return text.encode()


def decode(payload: bytes) -> Any:
    """Return the message of a payload.

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
        logger: where callbacks that raise and payloads that are no messages are told.
        changed: called when a channel has its first callback, with True, and when it has lost its
            last, with False.
    """

    def __init__(self, logger: LoggerLike, changed: Callable[[bool], None]) -> None:
        self._logger = logger
        self._changed = changed
        self._callbacks: dict[str, dict[object, Callback]] = {}

    def channels(self) -> set[str]:
        """Return the channels that have callbacks."""
        return set(self._callbacks)

    def add(self, channel: str, callback: Callback) -> Callable[[], None]:
        """Add a callback, as :meth:`ws6455.hub.Broker.subscribe` says."""
        if inspect.iscoroutinefunction(callback):
            raise TypeError("the callback must be a plain function: nobody would await it")
        channel.encode()  # to tell now, not when the subscription is made
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
        """Call the callbacks of a channel; each gets a message of its own.

        A payload that is no message is skipped. It is logged by its size: whatever it holds, a
        log is not the place for it.
        """
        callbacks = self._callbacks.get(channel, {})
        for key in list(callbacks):
            callback = callbacks.get(key)
            if callback is None:
                continue  # one called before has removed it
            try:
                message = decode(payload)
            except ValueError as exc:
                self._logger.warning(
                    "skipped what came on channel %r, %d bytes: %s", channel, len(payload), exc
                )
                return
            try:
                callback(message)
            except Exception:
                self._logger.exception("a callback of channel %r failed", channel)
