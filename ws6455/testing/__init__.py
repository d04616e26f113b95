"""Tools to test programs that use the library, and other implementations.

Connections without sockets (:func:`connected_pair`, :class:`MemoryServer`), a peer that can break
any rule (:class:`RawPeer`), a bad network (:class:`Link`). Fixtures for pytest are in
:mod:`ws6455.testing.fixtures`.
"""

from .link import Link
from .memory import MemoryTransport, join
from .pair import (
    MemoryServer,
    RawMemoryServer,
    client_and_peer,
    connected_pair,
    server_and_peer,
)
from .raw import RawPeer, RawServer
from .wire import RawFrame, opening_request, opening_response

__all__ = [
    "Link",
    "MemoryServer",
    "MemoryTransport",
    "RawFrame",
    "RawMemoryServer",
    "RawPeer",
    "RawServer",
    "client_and_peer",
    "connected_pair",
    "join",
    "opening_request",
    "opening_response",
    "server_and_peer",
]
