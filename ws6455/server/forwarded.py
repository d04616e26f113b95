"""The address of a client behind proxies, from X-Forwarded-For or Forwarded (RFC 7239).

Each proxy appends the address of its client. Any client can send these headers, so they are read
from the end, and only addresses that trusted proxies have appended are used.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..http1.header_values import TOKEN
from ..http1.headers import Headers

__all__ = ["Network", "client_address", "is_trusted", "parse_networks", "peer_address"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_PORT = r"(?::(?:[0-9]{1,5}|_[A-Za-z0-9._\-]++))?"
# A node of RFC 7239 §6, and the ways in which X-Forwarded-For has it. The zone of an IPv6 address
# means nothing on this machine.
_NODE = re.compile(
    rf"""
      \[ ([0-9A-Fa-f:.]++) (?:%[^\]]*+)? \] {_PORT}
    | ([0-9.]++) {_PORT}
    | ([0-9A-Fa-f:.]++) (?:%.*+)?
    """,
    re.VERBOSE | re.DOTALL,
)
# An element of Forwarded, reversed. No address needs a backslash: reading stops there.
_LAST_ELEMENT = re.compile(r'(?:[^",\\]|"[^"\\]*+")*+')
# A pair of an element, such as ``for="[2001:db8::1]:80"``, or an empty one.
_PAIR = re.compile(
    rf'[ \t]*+(?:({TOKEN.pattern})=(?:"([^"]*+)"|([^\s";]++))[ \t]*+)?(?:;|$)', re.ASCII
)


def parse_networks(networks: Iterable[str]) -> Sequence[Network]:
    """Parse addresses, such as ``"127.0.0.1"``, and networks, such as ``"10.0.0.0/8"``.

    Raises:
        ValueError: if one of them is neither.
    """
    return [_unmapped_network(ipaddress.ip_network(network)) for network in networks]


def _unmapped_network(network: Network) -> Network:
    """Return the IPv4 network for a network of IPv4-mapped addresses."""
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        first = network.network_address.ipv4_mapped
        return ipaddress.IPv4Network((first, network.prefixlen - _MAPPED.prefixlen))
    return network


def peer_address(remote_address: Any) -> str:
    """Return the address in what a socket gives for its peer.

    Args:
        remote_address: a tuple; a string or bytes for a Unix socket, which counts as 127.0.0.1;
            None if the peer had gone before it was asked for, which gives an empty string.
    """
    if isinstance(remote_address, tuple):
        return str(remote_address[0])
    return "" if remote_address is None else "127.0.0.1"


def is_trusted(peer: str, trusted: Sequence[Network]) -> bool:
    """Return True if an address is in one of the networks of the trusted proxies."""
    return _is_in(_parse_node(peer), trusted)


def client_address(peer: str, headers: Headers, trusted: Sequence[Network]) -> str:
    """Return the address of the client: the last one that is not a trusted proxy's.

    Forwarded counts only in a request without X-Forwarded-For: most proxies append to that
    header, and pass on a Forwarded that the client has made up. An entry that is not an address,
    such as ``unknown``, hides what is before it: the address after it is the last one known.

    Args:
        peer: the peer's address of the connection.
        headers: the request's headers.
        trusted: the networks of the trusted proxies.
    """
    address = _parse_node(peer)
    if not _is_in(address, trusted):
        return peer if address is None or "%" in peer else str(address)
    lines = headers.get_all("X-Forwarded-For")
    hops = _hops_of_list(lines) if lines else _hops_of_forwarded(headers.get_all("Forwarded"))
    for hop in hops:
        if hop is None:
            break
        address = hop
        if not _is_in(address, trusted):
            break
    return str(address)


def _hops_of_list(lines: list[str]) -> Iterator[Address | None]:
    """Yield the addresses of X-Forwarded-For from the last; None for an entry without one."""
    for line in reversed(lines):
        separator = ","
        while separator:
            line, separator, hop = line.rpartition(",")
            yield _parse_node(hop.strip(" \t"))


def _hops_of_forwarded(lines: list[str]) -> Iterator[Address | None]:
    """Yield the addresses of Forwarded from the last; None for an element without one.

    Reading from the end keeps a quote that a client has left open from hiding what follows.
    """
    for line in reversed(lines):
        rest = line[::-1]
        position = 0
        while True:
            match = _LAST_ELEMENT.match(rest, position)
            assert match is not None  # it matches the empty string
            position = match.end()
            if not rest.startswith(",", position) and position < len(rest):
                yield None  # a backslash, or a quote without its end
                return
            yield _parse_element(match[0][::-1])
            if position == len(rest):
                break
            position += 1


def _parse_element(element: str) -> Address | None:
    """Return the address in ``for`` of an element of Forwarded; None if there is none."""
    found: list[str] = []
    position = 0
    while position < len(element):
        pair = _PAIR.match(element, position)
        if pair is None:
            return None
        name, quoted, token = pair.groups()
        if name is not None and name.lower() == "for":
            found.append(token if quoted is None else quoted)
        position = pair.end()
    return _parse_node(found[0]) if len(found) == 1 else None


def _parse_node(text: str) -> Address | None:
    """Return the address of a node, without its port; None if it has none."""
    match = _NODE.fullmatch(text)
    if match is None:
        return None
    try:
        address = ipaddress.ip_address(match[1] or match[2] or match[3])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: Address | None, networks: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in networks)
