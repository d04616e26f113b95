"""The address of a client behind proxies, from X-Forwarded-For.

This header is a convention without a standard. Each proxy appends the address of its client. Any
client can send the header, so only addresses that trusted proxies have appended are used.
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
        ValueError: if one of them is neither.
    """
    return [ipaddress.ip_network(network) for network in networks]


def client_address(peer: str, headers: Headers, trusted: Sequence[Network]) -> str:
    """Return the address of the client: the last one that is not a trusted proxy's.

    Args:
        peer: the peer's address of the connection.
        headers: the request's headers.
        trusted: the networks of the trusted proxies.
    """
    hops = ",".join(headers.get_all("X-Forwarded-For")).split(",")
    address = peer
    while hops and _is_in(address, trusted):
        hop = hops.pop().strip()
        try:
            address = str(ipaddress.ip_address(hop.strip("[]")))
        except ValueError:
            break  # empty, or "unknown": the proxy's address is the last one known
    return address


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return any((mapped or parsed) in network for network in networks)
