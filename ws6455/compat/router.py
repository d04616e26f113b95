"""`route`, with the connections and the logger of the compatible `serve`.

Needs werkzeug when called.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from ..aio import router
from ..aio.server import serve
from .server_connection import ServerConnection

__all__ = ["route", "unix_route"]


def _compatible(make: Callable[..., serve]) -> Callable[..., serve]:
    @functools.wraps(make)
    def with_compatible_connections(*args: Any, **options: Any) -> serve:
        options["logger"] = options.get("logger") or logging.getLogger("websockets.server")
        options["create_connection"] = options.get("create_connection") or ServerConnection
        return make(*args, **options)

    return with_compatible_connections


route = _compatible(router.route)
unix_route = _compatible(router.unix_route)
