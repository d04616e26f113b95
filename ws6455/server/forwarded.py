"""Who a client is when proxies stand in front of the server.

X-Forwarded-For is a convention without a standard of its own; each proxy appends the address it
was called from. Anybody can send the header, so that only what trusted proxies have appended
counts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from ..http1.headers import Headers

__all__ = ["Network", "client_address", "parse_networks"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_networks(networks: Iterable[str]) -> Sequence[Network]:
    """Parse addresses, such as ``"127.0.0.1"``, and networks, such as ``"10.0.0.0/8"``.

    Raises:
        ValueError: if one is neither.
    """
    return [ipaddress.ip_network(network) for network in networks]


def client_address(peer: str, headers: Headers, trusted: Sequence[Network]) -> str:
    """Return the address of the client: the last one that no trusted proxy has.

    Args:
        peer: the address that the connection comes from.
        headers: the request's.
        trusted: where the server's own proxies are.
    """
    hops = ",".join(headers.get_all("X-Forwarded-For")).split(",")
    address = peer
    while hops and _is_in(address, trusted):
        hop = hops.pop().strip()
        try:
            address = str(ipaddress.ip_address(hop.strip("[]")))
        except ValueError:
            break  # nothing, or "unknown": the proxy is the last that is known
    return address


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return any((mapped or parsed) in network for network in networks)
