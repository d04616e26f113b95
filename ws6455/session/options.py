"""Options of `connect` and `serve`, shared by both front ends: checks and defaults.

The public signatures are those of the front ends.
"""

from __future__ import annotations

import logging
import numbers
from collections.abc import Sequence
from typing import Any

from ..protocol.deflate_negotiation import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
    client_extensions,
    server_extensions,
)
from ..protocol.handshake import Origins, validate_subprotocols
from ..protocol.receive_queue import water_marks
from ..typing import LoggerLike

__all__ = [
    "check_limits",
    "check_not_string",
    "check_seconds",
    "check_size",
    "client_options",
    "default_uri",
    "server_options",
    "session_options",
]

Limits = int | tuple[int | None, int | None] | None


def check_seconds(name: str, seconds: float | None, *, zero: bool = False) -> None:
    """Check an option that is a time in seconds, or None.

    Args:
        name: name of the option.
        seconds: its value.
        zero: True if 0 is allowed.

    Raises:
        TypeError: if it is not a number.
        ValueError: if it is negative, not a number (NaN), or 0 and that is not allowed.
    """
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, numbers.Real):
        raise TypeError(f"{name} must be a number of seconds or None, not {seconds!r}")
    if not (seconds > 0 or (zero and seconds == 0)):
        minimum = "at least 0" if zero else "more than 0"
        raise ValueError(f"{name} must be {minimum} seconds, or None; not {seconds!r}")


def check_limits(name: str, limits: Limits) -> None:
    """Check an option with a high and a low water mark; see :func:`.water_marks`.

    Args:
        name: name of the option.
        limits: its value.

    Raises:
        TypeError, ValueError: if it is wrong.
    """
    for limit in limits if isinstance(limits, tuple) else (limits,):
        check_size(name, limit, 0)
    try:
        water_marks(limits)
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from None


def check_not_string(name: str, values: object) -> None:
    """Check that an option is not one string in place of a sequence of strings.

    Args:
        name: name of the option.
        values: its value.

    Raises:
        TypeError: if it is a string or bytes.
    """
    if isinstance(values, str | bytes):
        raise TypeError(f"{name} must be a sequence of strings, such as [{values!r}]")


def _check_sizes(max_size: Limits, max_fragments: int | None) -> None:
    for size in max_size if isinstance(max_size, tuple) else (max_size,):
        check_size("max_size", size, 0)
    check_size("max_fragments", max_fragments, 1)


def check_size(name: str, size: object, minimum: int) -> None:
    """Check an option that is a number of things, or None.

    Args:
        name: name of the option.
        size: its value.
        minimum: the smallest value that is allowed.

    Raises:
        TypeError: if it is not an integer.
        ValueError: if it is too small.
    """
    if size is None:
        return
    if isinstance(size, bool) or not isinstance(size, int):
        raise TypeError(f"{name} must be an integer or None, not {size!r}")
    if size < minimum:
        raise ValueError(f"{name} must be at least {minimum}, or None; not {size}")


def session_options(
    ping_interval: float | None,
    ping_timeout: float | None,
    close_timeout: float | None,
    max_queue: Limits,
    open_timeout: float | None = None,
) -> dict[str, Any]:
    """Return the options of :class:`~ws6455.session.connection.BaseConnection`.

    `open_timeout` is not one of them, and is only checked.

    Raises:
        TypeError, ValueError: if an option is wrong.
    """
    check_seconds("ping_interval", ping_interval)
    check_seconds("ping_timeout", ping_timeout)
    check_seconds("close_timeout", close_timeout, zero=True)
    check_seconds("open_timeout", open_timeout, zero=True)
    check_limits("max_queue", max_queue)
    return {
        "ping_interval": ping_interval,
        "ping_timeout": ping_timeout,
        "close_timeout": close_timeout,
        "max_queue": max_queue,
    }


def client_options(
    origin: str | None,
    extensions: Sequence[ClientPerMessageDeflateFactory] | None,
    compression: str | None,
    subprotocols: Sequence[str] | None,
    max_size: Limits,
    max_fragments: int | None,
    logger: LoggerLike | None,
) -> dict[str, Any]:
    """Return the options of :class:`~ws6455.protocol.client.ClientProtocol`, except the URI.

    Raises:
        TypeError, ValueError: if an option is wrong.
    """
    _check_sizes(max_size, max_fragments)
    return {
        "origin": origin,
        "extensions": client_extensions(extensions, compression),
        "subprotocols": _checked(subprotocols),
        "max_size": max_size,
        "max_fragments": max_fragments,
        "logger": logger or logging.getLogger("ws6455.client"),
    }


def server_options(
    origins: Origins | None,
    extensions: Sequence[ServerPerMessageDeflateFactory] | None,
    compression: str | None,
    subprotocols: Sequence[str] | None,
    max_size: Limits,
    max_fragments: int | None,
    logger: LoggerLike | None,
) -> dict[str, Any]:
    """Return the options of :class:`~ws6455.protocol.server.ServerProtocol`, except callbacks.

    Raises:
        TypeError, ValueError: if an option is wrong.
    """
    _check_sizes(max_size, max_fragments)
    check_not_string("origins", origins)
    return {
        "origins": origins,
        "extensions": server_extensions(extensions, compression),
        "subprotocols": _checked(subprotocols),
        "max_size": max_size,
        "max_fragments": max_fragments,
        "logger": logger or logging.getLogger("ws6455.server"),
    }


def _checked(subprotocols: Sequence[str] | None) -> Sequence[str] | None:
    if subprotocols is not None:
        validate_subprotocols(subprotocols)
    return subprotocols


def default_uri(uri: str | None, ssl: object) -> str:
    """Return the URI for the handshake on a Unix socket, which has no host name.

    Args:
        uri: URI given by the caller, or None for the default.
        ssl: the TLS context; None for plain text.
    """
    if uri is not None:
        return uri
    return "ws://localhost/" if ssl is None else "wss://localhost/"
