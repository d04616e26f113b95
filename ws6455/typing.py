"""Types of arguments and results, for annotations."""

from __future__ import annotations

import http
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

__all__ = [
    "BytesLike",
    "Data",
    "DataLike",
    "ExtensionHeader",
    "ExtensionName",
    "ExtensionParameter",
    "LoggerLike",
    "Origin",
    "Provided",
    "StatusLike",
    "Subprotocol",
]

BytesLike = bytes | bytearray | memoryview
#: A message received: Text or Binary.
Data = str | bytes
#: A message to send.
DataLike = str | BytesLike
_Value = TypeVar("_Value")
#: A value, or a callable that returns it; asyncio also accepts a coroutine function.
Provided: TypeAlias = _Value | Callable[[], _Value | Awaitable[_Value]]
LoggerLike = logging.Logger | logging.LoggerAdapter[Any]
StatusLike = http.HTTPStatus | int
Origin = str
Subprotocol = str
ExtensionName = str
#: Name and value of an extension's parameter: ``("server_max_window_bits", "10")``.
ExtensionParameter = tuple[str, str | None]
#: Name and parameters of an extension, as in Sec-WebSocket-Extensions (RFC 6455 §9.1).
ExtensionHeader = tuple[ExtensionName, list[ExtensionParameter]]
