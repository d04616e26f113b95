"""The way from a threaded client to a server: TCP, through a proxy if there is one, and TLS.

RFC 6455 §4.1 (proxies). The handshake with an HTTP proxy is in :mod:`ws6455.client.proxies`.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any, cast

from ..client.proxies import Proxy, Tunnel, socks_arguments
from ..exceptions import ProxyError
from .tls_in_tls import TLSInTLS

__all__ = ["Deadline", "connect_through_http", "connect_through_socks", "start_tls"]


class Deadline:
    """A time by which something has to be done.

    Args:
        seconds: from now; None for any.
    """

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Return the seconds that are left, or None for any.

        Raises:
            TimeoutError: if there are none.
        """
        if self._at is None:
            return None
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out during opening handshake")
        return left


def start_tls(
    sock: socket.socket,
    context: ssl.SSLContext | bool | None,
    server_hostname: str | None,
    deadline: Deadline,
) -> socket.socket:
    """Do the client's TLS handshake.

    Args:
        sock: a connected socket; it is gone afterwards.
        context: True and None stand for the default.
        server_hostname: what the server's certificate must name.
        deadline: when it has to be done.

    Returns:
        The socket with TLS, or within the TLS that `sock` has, what does for one.

    Raises:
        OSError: if TLS fails.
    """
    if not isinstance(context, ssl.SSLContext):
        context = ssl.create_default_context()
    sock.settimeout(deadline.left())
    if isinstance(sock, ssl.SSLSocket):
        # What reads and writes like a socket is one for the connection's purposes.
        return cast(socket.socket, TLSInTLS(sock, context, server_hostname))
    return context.wrap_socket(sock, server_hostname=server_hostname)


def connect_through_http(
    proxy: Proxy,
    tunnel: Tunnel,
    *,
    deadline: Deadline,
    ssl: ssl.SSLContext | bool | None,
    server_hostname: str | None,
    **options: Any,
) -> socket.socket:
    """Connect through a proxy before a deadline; TLS leads to it if its scheme is https.

    See :func:`ws6455.aio.tunnel.connect_through_http`; `ssl` and `server_hostname` are for the
    proxy, other options for :func:`socket.create_connection`.
    """
    options.setdefault("timeout", deadline.left())
    sock = socket.create_connection((proxy.host, proxy.port), **options)
    try:
        if proxy.scheme == "https":
            sock = start_tls(sock, ssl, server_hostname or proxy.host, deadline)
        sock.settimeout(deadline.left())
        sock.sendall(tunnel.request)
        opened = False
        while not opened:
            sock.settimeout(deadline.left())
            opened = tunnel.receive_data(sock.recv(4096))
    except BaseException:
        sock.close()
        raise
    return sock


def connect_through_socks(proxy: Proxy, host: str, port: int, deadline: Deadline) -> socket.socket:
    """Do as :func:`ws6455.aio.tunnel.connect_through_socks`, before a deadline."""
    arguments = socks_arguments(proxy)  # raises ImportError
    import python_socks
    import python_socks.sync

    try:
        return python_socks.sync.Proxy(**arguments).connect(host, port, timeout=deadline.left())
    except python_socks.ProxyTimeoutError as exc:
        raise TimeoutError(f"SOCKS proxy did not connect in time: {exc}") from exc
    except python_socks.ProxyError as exc:
        raise ProxyError(f"SOCKS proxy did not connect: {exc}") from exc
