"""Conversion of command-line options to arguments of :class:`ws6455.connect`."""

from __future__ import annotations

import argparse
import ssl
from typing import Any

from ..http1.uri import parse_uri

__all__ = ["CLOSE_TIMEOUT", "opening_arguments"]

#: Seconds for the closing handshake, and again for closing TCP. Short, for interactive use.
CLOSE_TIMEOUT = 2


def opening_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Return the keyword arguments of :class:`ws6455.connect`.

    Args:
        options: ``uri``, ``header``, ``origin``, ``subprotocol``, ``insecure``, ``proxy``.
    """
    arguments: dict[str, Any] = {
        "additional_headers": options.header,
        "origin": options.origin,
        "subprotocols": options.subprotocol,
        "close_timeout": CLOSE_TIMEOUT,
    }
    if options.proxy is not None:
        arguments["proxy"] = None if options.proxy == "none" else options.proxy
    if options.insecure and parse_uri(options.uri).secure:
        arguments["ssl"] = ssl.create_default_context()
        arguments["ssl"].check_hostname = False
        arguments["ssl"].verify_mode = ssl.CERT_NONE
    return arguments
