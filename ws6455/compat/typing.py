"""Types for annotations that :mod:`ws6455.typing` does not have."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ..http1.headers import Headers, HeadersLike
from ..typing import ExtensionName, ExtensionParameter, StatusLike

__all__ = [
    "ConnectionOption",
    "ExtensionHeader",
    "HTTPResponse",
    "HeadersLikeOrCallable",
    "PathLike",
    "UpgradeProtocol",
]

PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]
ExtensionHeader = tuple[ExtensionName, Sequence[ExtensionParameter]]
ConnectionOption = str
UpgradeProtocol = str

# The result of `process_request`, and the type of `extra_headers`, up to version 13.
HTTPResponse = tuple[StatusLike, HeadersLike, bytes]
HeadersLikeOrCallable = HeadersLike | Callable[[str, Headers], HeadersLike]
