"""Choice of a proxy, and the tunnel through an HTTP proxy; no I/O.

RFC 6455 §4.1 (proxies), RFC 9110 §9.3.6 (CONNECT). SOCKS is implemented by python-socks.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import re
import types
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..exceptions import (
    InvalidMessage,
    InvalidProxy,
    InvalidProxyMessage,
    InvalidProxyStatus,
    ProxyError,
    SecurityError,
)
from ..http1.basic_auth import build_authorization_basic
from ..http1.body import BodyReader
from ..http1.head import USER_AGENT, Response
from ..http1.header_values import build_host
from ..http1.headers import Headers
from ..http1.response_reader import ResponseReader
from ..http1.uri import WebSocketURI
from .addresses import shown_address
from .proxy_environment import find_proxy

__all__ = [
    "Proxy",
    "Tunnel",
    "check_proxy_ssl",
    "choose_proxy",
    "get_proxy",
    "parse_proxy",
    "shown_proxy",
    "socks_arguments",
    "socks_client",
    "socks_errors",
]

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*://)?(.*)", re.IGNORECASE | re.DOTALL)
_PORTS = {
    "http": 80,
    "https": 443,
    "socks4": 1080,
    "socks4a": 1080,
    "socks5": 1080,
    "socks5h": 1080,
}


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
    def resolves_names(self) -> bool:
        """Whether the proxy resolves the names of servers."""
        return self.scheme not in ("socks4", "socks5")

    @property
    def user_info(self) -> tuple[str, str] | None:
        """The username and the password, or None."""
        if self.username is None or self.password is None:
            return None
        return self.username, self.password


def parse_proxy(proxy: str) -> Proxy:
    """Parse the address of a proxy.

    Args:
        proxy: such as ``http://user:password@host:8080`` or ``socks5h://host:1080``. Without a
            scheme it is an HTTP proxy; ``socks`` stands for ``socks4``, as for curl.

    Raises:
        InvalidProxy: if the address cannot be used; the message says why.
    """
    given, rest = _SCHEME.fullmatch(proxy.strip()).groups("")  # type: ignore[union-attr]  # always
    user_info, at, rest = rest.rpartition("@")
    shown = f"{given}{rest}"  # without the credentials
    scheme = given.removesuffix("://").lower() or "http"
    if scheme == "socks":
        scheme = "socks4"
    if scheme not in _PORTS:
        raise InvalidProxy(shown, f"scheme {scheme} isn't supported")
    if any(character in user_info for character in "/?#"):
        raise InvalidProxy(shown, "username and password must be percent-encoded")
    try:
        parts = urllib.parse.urlsplit(f"{scheme}://{rest}")
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise InvalidProxy(shown, str(exc)) from exc
    if not host:
        raise InvalidProxy(shown, "hostname isn't provided")
    if port == 0:
        raise InvalidProxy(shown, "port 0 cannot be connected to")
    if parts.path not in ("", "/"):
        raise InvalidProxy(shown, "path is meaningless")
    if parts.query:
        raise InvalidProxy(shown, "query component is meaningless")
    if parts.fragment:
        raise InvalidProxy(shown, "fragment identifier is meaningless")
    username, _, password = user_info.partition(":")
    return Proxy(
        scheme,
        host.replace("%25", "%"),  # the zone of an IPv6 address (RFC 6874)
        port or _PORTS[scheme],
        urllib.parse.unquote(username) if at else None,
        urllib.parse.unquote(password) if at else None,
    )


def get_proxy(uri: WebSocketURI) -> str | None:
    """Return the proxy for a URI from the environment or the operating system.

    The variables are ``wss_proxy``, ``ws_proxy``, ``socks_proxy``, ``https_proxy``,
    ``http_proxy``, ``all_proxy`` and ``no_proxy``, in lower or upper case. No proxy is used for
    loopback addresses.
    """
    found = find_proxy(uri)
    return None if found is None else found[1]


def choose_proxy(proxy: str | bool | None, uri: WebSocketURI) -> Proxy | None:
    """Return the proxy to go through, or None to connect directly.

    Args:
        proxy: an address, True for the proxy from the environment, None for no proxy.
        uri: the URI to connect to.

    Raises:
        InvalidProxy: if the address cannot be used.
    """
    if proxy is not True:
        return parse_proxy(proxy) if proxy else None
    found = find_proxy(uri)
    if found is None:
        return None
    source, address = found
    try:
        return parse_proxy(address)
    except InvalidProxy as exc:
        raise InvalidProxy(exc.proxy, f"{exc.msg} (from {source})") from exc.__cause__


def shown_proxy(proxy: Proxy) -> str:
    """Return a proxy's address for texts."""
    return f"the proxy {shown_address(proxy.host, proxy.port)}"


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
        "rdns": proxy.resolves_names,
    }


def socks_client(kind: str, proxy: Proxy, connect: Callable[..., object]) -> Any:
    """Return python-socks' object for a proxy, with a connection of ours to the proxy.

    Args:
        kind: ``"sync"`` or ``"async_.asyncio"``.
        proxy: the proxy.
        connect: returns the connection to the proxy; or returns an awaitable of it.

    Raises:
        ImportError: if python-socks is not installed.
    """
    arguments = socks_arguments(proxy)
    module = importlib.import_module(f"python_socks.{kind}")
    # In the place of another proxy before this one.
    return module.Proxy(**arguments, forward=types.SimpleNamespace(connect=connect))


@contextlib.contextmanager
def socks_errors() -> Iterator[None]:
    """Raise ProxyError for the error of python-socks in case of a refusal."""
    from python_socks import ProxyError as SOCKSError

    try:
        yield
    except SOCKSError as exc:
        raise ProxyError(f"SOCKS proxy did not connect: {exc}") from exc


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
        tls_hint = "the proxy speaks TLS on this port: use https://"
        self._head = ResponseReader(None if proxy.scheme == "https" else tls_hint)

    def receive_data(self, data: bytes) -> bool:
        """Add bytes from the proxy. Return True once the tunnel is open.

        Interim responses are skipped (RFC 9110 §15.2).

        Args:
            data: the bytes; empty at the end of the stream.

        Raises:
            InvalidProxyMessage: if the response is not valid HTTP, ends early, or is followed by
                more bytes.
            InvalidProxyStatus: if the proxy refuses.
        """
        if not data:
            cause = EOFError(f"stream ends after {len(self._head)} bytes of the head")
            raise InvalidProxyMessage(
                "connection closed before the end of the proxy's response"
            ) from cause
        try:
            read = self._head.read(data)
        except (InvalidMessage, SecurityError) as exc:
            raise InvalidProxyMessage(f"invalid response from the proxy: {exc}") from exc
        if read is None:
            return False
        _, response, rest = read
        if not 200 <= response.status_code < 300:
            response.body = _received_body(response, rest)
            raise InvalidProxyStatus(response)
        if rest:
            # A server sends nothing before its client, so these bytes are not from the server.
            raise InvalidProxyMessage("bytes after the proxy's response")
        return True


def _received_body(response: Response, data: bytes) -> bytes:
    """Return the part of a response's body that was received with its head."""
    try:
        body = BodyReader(response.headers)
        body.feed(data)
    except InvalidMessage:
        return data
    return bytes(body.body)
