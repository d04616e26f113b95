"""WebSocket URIs that can be taken apart as a tuple, as in version 8.

RFC 6455 §3.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ..http1.uri import WebSocketURI as _WebSocketURI
from ..http1.uri import parse_uri as parse

__all__ = ["WebSocketURI", "parse_uri"]


class WebSocketURI(_WebSocketURI):
    """A WebSocket URI in its parts; as a tuple secure, host, port, resource name, user info."""

    def __iter__(self) -> Iterator[bool | str | int | tuple[str, str] | None]:
        return iter((self.secure, self.host, self.port, self.resource_name, self.user_info))


def parse_uri(uri: str) -> WebSocketURI:
    """Parse a ``ws://`` or ``wss://`` URI; see :func:`ws6455.parse_uri`.

    Raises:
        InvalidURI: if it is no WebSocket URI.
    """
    return WebSocketURI(**dataclasses.asdict(parse(uri)))
