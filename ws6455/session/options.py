"""Options of `connect` and `serve`, shared by both front ends: checks and defaults.

The public signatures are those of the front ends.
"""

from __future__ import annotations

import logging
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
    "client_options",
    "default_uri",
    "server_options",
    "session_options",
]

Limits = int | tuple[int | None, int | None] | None


def session_options(
    ping_interval: float | None,
    ping_timeout: float | None,
    close_timeout: float | None,
    max_queue: Limits,
) -> dict[str, Any]:
    """Return the options of :class:`~ws6455.session.connection.BaseConnection`.

    Raises:
        ValueError: if `max_queue` is wrong.
    """
    water_marks(max_queue)  # raises
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
