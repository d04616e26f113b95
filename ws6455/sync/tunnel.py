"""TLS and proxies for the sockets of a threaded client.

RFC 6455 §4.1 (proxies). See :mod:`ws6455.client.proxies` for the handshake with an HTTP proxy.
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
    """Time limit that the steps of an opening handshake share.

    Args:
        seconds: seconds from now; None for no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Return the seconds left; None for no limit.

        Raises:
            TimeoutError: if no time is left.
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
    """Perform the client's TLS handshake.

    Args:
        sock: a connected socket; the result replaces it.
        context: the TLS context; True and None select the default.
        server_hostname: host name that the certificate must have.
        deadline: time limit of the handshake.

    Returns:
        A socket with TLS; a :class:`.TLSInTLS` if `sock` uses TLS already.

    Raises:
        OSError: if the handshake fails.
    """
    if not isinstance(context, ssl.SSLContext):
        context = ssl.create_default_context()
    sock.settimeout(deadline.left())
    if isinstance(sock, ssl.SSLSocket):
        # It has the methods of a socket that a connection calls.
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
    """Connect to a server through an HTTP proxy before a deadline, without TLS to the server.

    See :func:`ws6455.aio.tunnel.connect_through_http`; `ssl` and `server_hostname` are for TLS to
    an https proxy, other options for :func:`socket.create_connection`.
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
    """Call :func:`ws6455.aio.tunnel.connect_through_socks` without asyncio, before a deadline."""
    arguments = socks_arguments(proxy)  # raises ImportError
    import python_socks
    import python_socks.sync

    try:
        return python_socks.sync.Proxy(**arguments).connect(host, port, timeout=deadline.left())
    except python_socks.ProxyTimeoutError as exc:
        raise TimeoutError(f"SOCKS proxy did not connect in time: {exc}") from exc
    except python_socks.ProxyError as exc:
        raise ProxyError(f"SOCKS proxy did not connect: {exc}") from exc
