"""Choice of a proxy, and the tunnel through an HTTP proxy; no I/O.

RFC 6455 §4.1 (proxies), RFC 9110 §9.3.6 (CONNECT). SOCKS is implemented by python-socks.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import urllib.parse
from collections.abc import Mapping
from typing import Any

from ..exceptions import (
    InvalidMessage,
    InvalidProxy,
    InvalidProxyMessage,
    InvalidProxyStatus,
    SecurityError,
    StatusLineTooLong,
    hide_credentials,
)
from ..http1.basic_auth import build_authorization_basic
from ..http1.head import USER_AGENT, HeadReader, parse_response
from ..http1.header_values import build_host
from ..http1.headers import Headers
from ..http1.uri import WebSocketURI

__all__ = [
    "Proxy",
    "Tunnel",
    "check_proxy_ssl",
    "choose_proxy",
    "get_proxy",
    "parse_proxy",
    "socks_arguments",
]

_PORTS = {
    "http": 80,
    "https": 443,
    "socks4": 1080,
    "socks4a": 1080,
    "socks5": 1080,
    "socks5h": 1080,
}
# §4.1: a SOCKS proxy is preferred to one for HTTPS, and that to one for HTTP.
_SCHEMES = {True: ("wss", "socks", "https"), False: ("ws", "socks", "https", "http")}


@dataclasses.dataclass(frozen=True)
class Proxy:
    """The address of a proxy.

    Attributes:
        scheme: http, https, socks4, socks4a, socks5 or socks5h. With socks4a and socks5h, the
            proxy resolves the server's name.
        host: name or address.
        port: TCP port.
        username: the username, or None.
        password: the password; None if and only if username is None.
    """

    scheme: str
    host: str
    port: int
    username: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)

    @property
    def user_info(self) -> tuple[str, str] | None:
        """The username and the password, or None."""
        if self.username is None or self.password is None:
            return None
        return self.username, self.password


def parse_proxy(proxy: str) -> Proxy:
    """Parse the address of a proxy.

    Args:
        proxy: such as ``http://user:password@host:8080`` or ``socks5h://host:1080``.

    Raises:
        InvalidProxy: if the address cannot be used; the message says why.
    """
    shown = hide_credentials(proxy)
    try:
        parts = urllib.parse.urlsplit(proxy)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise InvalidProxy(shown, str(exc)) from exc
    if parts.scheme not in _PORTS:
        raise InvalidProxy(shown, f"scheme {parts.scheme or '(none)'} isn't supported")
    if not host:
        raise InvalidProxy(shown, "hostname isn't provided")
    if parts.path not in ("", "/"):
        raise InvalidProxy(shown, "path is meaningless")
    if parts.query:
        raise InvalidProxy(shown, "query component is meaningless")
    if parts.fragment:
        raise InvalidProxy(shown, "fragment identifier is meaningless")
    username, password = parts.username, parts.password
    if username is not None and password is None:
        raise InvalidProxy(shown, "username provided without password")
    return Proxy(
        parts.scheme,
        host,
        port or _PORTS[parts.scheme],
        None if username is None else urllib.parse.unquote(username),
        None if password is None else urllib.parse.unquote(password),
    )


def get_proxy(uri: WebSocketURI) -> str | None:
    """Return the proxy for a URI from the environment or the operating system.

    The variables are ``wss_proxy``, ``ws_proxy``, ``socks_proxy``, ``https_proxy``,
    ``http_proxy`` and ``no_proxy``. No proxy is used for loopback addresses.
    """
    if _is_loopback(uri.host):
        return None
    # Imported late, since it imports a whole HTTP client.
    from urllib.request import getproxies, proxy_bypass

    if proxy_bypass(build_host(uri.host, uri.port, uri.secure, always_include_port=True)):
        return None
    proxies = getproxies()
    for scheme in _SCHEMES[uri.secure]:
        proxy = proxies.get(scheme)
        if proxy is not None:
            # macOS returns the address of a SOCKS proxy with the scheme http.
            if scheme == "socks" and proxy.startswith("http://"):
                return f"socks5h://{proxy.removeprefix('http://')}"
            return proxy
    return None


def choose_proxy(proxy: str | bool | None, uri: WebSocketURI) -> Proxy | None:
    """Return the proxy to go through, or None to connect directly.

    Args:
        proxy: an address, True for the proxy from the environment, None for no proxy.
        uri: the URI to connect to.

    Raises:
        InvalidProxy: if the address cannot be used.
    """
    address = get_proxy(uri) if proxy is True else proxy
    return parse_proxy(address) if address else None


def check_proxy_ssl(proxy: Proxy, options: Mapping[str, object]) -> None:
    """Check the options for TLS to an HTTP proxy.

    Args:
        proxy: the proxy.
        options: ``ssl``, ``server_hostname`` and so on.

    Raises:
        ValueError: if ``ssl`` is None for an https proxy, or is set for an http proxy.
    """
    if proxy.scheme == "https":
        if "ssl" in options and options["ssl"] is None:
            raise ValueError("proxy_ssl=None is incompatible with an https:// proxy")
    elif options.get("ssl") is not None:
        raise ValueError("proxy_ssl argument is incompatible with an http:// proxy")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def socks_arguments(proxy: Proxy) -> dict[str, Any]:
    """Return the arguments for python-socks' own ``Proxy``, plain or asynchronous.

    Raises:
        ImportError: if python-socks is not installed.
    """
    try:
        from python_socks import ProxyType
    except ImportError as exc:
        raise ImportError("a SOCKS proxy needs python-socks: pip install 'ws6455[socks]'") from exc
    return {
        "proxy_type": ProxyType.SOCKS4 if proxy.scheme.startswith("socks4") else ProxyType.SOCKS5,
        "host": proxy.host,
        "port": proxy.port,
        "username": proxy.username,
        "password": proxy.password,
        "rdns": proxy.scheme in ("socks4a", "socks5h"),
    }


class Tunnel:
    """The client's side of CONNECT: send :attr:`request`, then feed the response.

    Args:
        proxy: an HTTP proxy; its credentials are sent as Basic authentication.
        host: the server's name or address.
        port: the server's TCP port.
        user_agent_header: the value of User-Agent; None to omit the header.
    """

    def __init__(
        self, proxy: Proxy, host: str, port: int, user_agent_header: str | None = USER_AGENT
    ) -> None:
        host = build_host(host, port, secure=False, always_include_port=True)
        headers = Headers()
        headers["Host"] = host
        if user_agent_header is not None:
            headers["User-Agent"] = user_agent_header
        if proxy.user_info is not None:
            headers["Proxy-Authorization"] = build_authorization_basic(*proxy.user_info)
        #: The request to send, in bytes.
        self.request: bytes = f"CONNECT {host} HTTP/1.1\r\n".encode("ascii") + headers.serialize()
        self._head = HeadReader(StatusLineTooLong)

    def receive_data(self, data: bytes) -> bool:
        """Add bytes from the proxy. Return True once the tunnel is open.

        Args:
            data: the bytes; empty at the end of the stream.

        Raises:
            InvalidProxyMessage: if the response is not valid HTTP, ends early, or is followed by
                more bytes.
            InvalidProxyStatus: if the proxy refuses.
        """
        if not data:
            raise InvalidProxyMessage("connection closed before the end of the proxy's response")
        try:
            rest = self._head.feed(data)
            if rest is None:
                return False
            _, response = parse_response(self._head.lines)
        except (InvalidMessage, SecurityError) as exc:
            raise InvalidProxyMessage(f"invalid response from the proxy: {exc}") from exc
        if not 200 <= response.status_code < 300:
            raise InvalidProxyStatus(response)
        if rest:
            # A server sends nothing before its client, so these bytes are not from the server.
            raise InvalidProxyMessage("bytes after the proxy's response")
        return True
