"""Proxies that the environment or the operating system names; no I/O.

The variables are those of curl and of :mod:`urllib.request`, and those for WebSockets.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Mapping

from ..http1.header_values import build_host
from ..http1.uri import WebSocketURI

__all__ = ["bypasses_proxy", "find_proxy", "is_own_machine"]

# Variables without "_proxy". RFC 6455 §4.1: a SOCKS proxy is preferred to one for HTTPS, and that
# to one for HTTP.
_VARIABLES = {
    True: ("wss", "socks", "https", "all"),
    False: ("ws", "socks", "https", "http", "all"),
}

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def find_proxy(uri: WebSocketURI) -> tuple[str, str] | None:
    """Return the proxy for a URI that the environment or the operating system names.

    Args:
        uri: the URI to connect to.

    Returns:
        The variable's name, or "the system's settings", and the address, which may be invalid;
        None to connect directly.
    """
    if is_own_machine(uri.host):
        return None
    variables = {name: value.strip() for name, value in os.environ.items()}
    if not any(name.lower().endswith("_proxy") and value for name, value in variables.items()):
        return _system_proxy(uri) if sys.platform in ("darwin", "win32") else None
    no_proxy = _value("no", variables)
    if no_proxy is not None and bypasses_proxy(uri.host, uri.port, no_proxy[1]):
        return None
    for scheme in _VARIABLES[uri.secure]:
        found = _value(scheme, variables)
        if found is not None:
            name, address = found
            return name, _with_scheme(scheme, address)
    return None


def _value(scheme: str, variables: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the name and the value of a variable, in lower case rather than in upper case."""
    for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY"):
        if name == "HTTP_PROXY" and "REQUEST_METHOD" in variables:
            continue  # a CGI program: the client's header Proxy sets this variable
        if variables.get(name):
            return name, variables[name]
    return None


def _with_scheme(scheme: str, address: str) -> str:
    """Return the address of a proxy; the one for SOCKS may be without scheme, or with ``http``."""
    if scheme != "socks":
        return address
    if "://" not in address:
        return f"socks5h://{address}"
    return re.sub("^http://", "socks5h://", address)  # macOS returns it


def _system_proxy(uri: WebSocketURI) -> tuple[str, str] | None:
    """Return the proxy of the system's settings, of macOS or Windows."""
    # Imported late, since it imports a whole HTTP client.
    from urllib.request import getproxies, proxy_bypass

    if proxy_bypass(build_host(uri.host, uri.port, uri.secure, always_include_port=True)):
        return None
    proxies = getproxies()
    for scheme in _VARIABLES[uri.secure]:
        if proxies.get(scheme):
            return "the system's settings", _with_scheme(scheme, proxies[scheme])
    return None


def bypasses_proxy(host: str, port: int, no_proxy: str) -> bool:
    """Return True if a server is to be reached without a proxy.

    Args:
        host: the server's name or address.
        port: the server's TCP port.
        no_proxy: value of ``no_proxy``: names, addresses and networks, separated by commas or
            spaces. ``*`` stands for every server. A name stands for its subdomains too. Each
            item may end with a port.
    """
    return any(_matches(item, host, port) for item in re.split(r"[,\s]+", no_proxy) if item)


def _matches(item: str, host: str, port: int) -> bool:
    name, colon, item_port = item.rpartition(":")
    if colon and item_port.isdecimal() and (":" not in name or name.endswith("]")):
        if int(item_port) != port:
            return False
    else:
        name = item
    if name == "*":
        return True
    address = _address(host)
    if address is None:
        domain = name.lower().removeprefix("*").strip(".")
        return bool(domain) and f".{host.lower().rstrip('.')}".endswith(f".{domain}")
    try:
        return address in ipaddress.ip_network(re.sub(r"[\[\]]", "", name), strict=False)
    except ValueError:
        return False


def is_own_machine(host: str) -> bool:
    """Return True if a host is a loopback address, or a name of this machine (RFC 6761 §6.3)."""
    address = _address(host)
    if address is not None:
        return address.is_loopback or address.is_unspecified
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")


def _address(host: str) -> IPAddress | None:
    """Return the IP address that a host is, or None; an IPv4-mapped one is that of IPv4."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address
