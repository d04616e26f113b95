"""Tools for tests of programs that use the library, and of other implementations.

Connections without sockets (:func:`connected_pair`, :class:`MemoryServer`), a peer that keeps no
rule (:class:`RawPeer`), a bad network (:class:`Link`); in :mod:`ws6455.testing.fixtures`, fixtures
for pytest.
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
