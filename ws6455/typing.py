"""Names for the types of arguments and results, for annotations.

Floor 1: imports frames and headers.
"""

from __future__ import annotations

import http
import logging
from typing import Any

from .frames import BytesLike
from .headers import ExtensionParameter

__all__ = [
    "BytesLike",
    "Data",
    "DataLike",
    "ExtensionName",
    "ExtensionParameter",
    "LoggerLike",
    "Origin",
    "StatusLike",
    "Subprotocol",
]

#: A message received: Text or Binary.
Data = str | bytes
#: A message to send.
DataLike = str | BytesLike
LoggerLike = logging.Logger | logging.LoggerAdapter[Any]
StatusLike = http.HTTPStatus | int
Origin = str
Subprotocol = str
ExtensionName = str
