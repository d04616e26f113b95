"""`route`, with the connections and the logger of the compatible `serve`.

Needs werkzeug when called.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..aio import router
from ..aio.server import serve
from .logged import logged
from .server_connection import ServerConnection

__all__ = ["route", "unix_route"]


def _compatible(make: Callable[..., serve]) -> Callable[..., serve]:
    @functools.wraps(make)
    def with_compatible_connections(*args: Any, **options: Any) -> serve:
        options["create_connection"] = options.get("create_connection") or ServerConnection
        return make(*args, **options)

    return logged(with_compatible_connections, "server")


route = _compatible(router.route)
unix_route = _compatible(router.unix_route)
