"""Header values, parsed and built by the functions of `websockets`.

RFC 9110 §5.6, RFC 6455 §4, §9.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..http1.header_values import build_extension_list, parse_extension_list, parse_token_list
from ..typing import ExtensionHeader

__all__ = [
    "build_extension",
    "build_subprotocol",
    "parse_connection",
    "parse_extension",
    "parse_subprotocol",
    "parse_upgrade",
]


def parse_connection(header: str) -> list[str]:
    """Parse the value of Connection.

    Raises:
        InvalidHeaderFormat: if it is no list of tokens.
    """
    return parse_token_list("Connection", header)


def parse_upgrade(header: str) -> list[str]:
    """Parse the value of Upgrade.

    Raises:
        InvalidHeaderFormat: if it is no list of tokens.
    """
    return parse_token_list("Upgrade", header)


def parse_subprotocol(header: str) -> list[str]:
    """Parse the value of Sec-WebSocket-Protocol.

    Raises:
        InvalidHeaderFormat: if it is no list of tokens.
    """
    return parse_token_list("Sec-WebSocket-Protocol", header)


def build_subprotocol(subprotocols: Sequence[str]) -> str:
    """Build the value of Sec-WebSocket-Protocol."""
    return ", ".join(subprotocols)


def parse_extension(header: str) -> list[ExtensionHeader]:
    """Parse the value of Sec-WebSocket-Extensions.

    Raises:
        InvalidHeaderFormat: if it is no list of extensions.
    """
    return parse_extension_list(header)


def build_extension(extensions: Sequence[ExtensionHeader]) -> str:
    """Build the value of Sec-WebSocket-Extensions."""
    return build_extension_list(list(extensions))
