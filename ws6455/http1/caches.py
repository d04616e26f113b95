"""Caches of parsed headers, shared by all connections.

Most connections have the same header lines and names. They are parsed once, and the results are
shared. Every cache has a bound in entries, and keys that a peer chooses are short: a line of
Sec-WebSocket-Key, which always differs, is longer than :data:`SHARED_LINE_SIZE`.
"""

import functools

__all__ = [
    "MAX_SHARED_NAMES",
    "SHARED_LINE_SIZE",
    "cached_index",
    "cached_line",
    "cached_name",
    "cached_request_line",
    "cached_tokens",
]

# Lines up to this size in bytes are parsed once.
SHARED_LINE_SIZE = 40
# The index of up to this number of header names is built once.
MAX_SHARED_NAMES = 32

# Decorators of the functions whose results are shared.
cached_line = functools.lru_cache(maxsize=256)
cached_request_line = functools.lru_cache(maxsize=64)
cached_name = functools.lru_cache(maxsize=256)
cached_index = functools.lru_cache(maxsize=64)  # small, since names can be long
cached_tokens = functools.lru_cache(maxsize=64)
