"""The threaded front end, with the loggers that programs know."""

from __future__ import annotations

import logging
from typing import Any

from ..sync import client, router, server
from .logged import logged

__all__ = [
    "connect",
    "reconnect",
    "route",
    "serve",
    "unix_connect",
    "unix_reconnect",
    "unix_route",
    "unix_serve",
]

connect = logged(client.connect, "client")
unix_connect = logged(client.unix_connect, "client")
unix_reconnect = logged(client.unix_reconnect, "client")
serve = logged(server.serve, "server")
unix_serve = logged(server.unix_serve, "server")
route = logged(router.route, "server")
unix_route = logged(router.unix_route, "server")


class reconnect(client.reconnect):
    """Connect again and again; see :class:`ws6455.sync.client.reconnect`."""

    def __init__(self, uri: str, **options: Any) -> None:
        options["logger"] = options.get("logger") or logging.getLogger("websockets.client")
        super().__init__(uri, **options)
