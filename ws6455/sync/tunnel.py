"""TLS and proxies for the sockets of a threaded client.

RFC 6455 §4.1 (proxies). See :mod:`ws6455.client.proxies` for the handshake with an HTTP proxy.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import cast

from ..client.addresses import first_address
from ..client.deadline import Deadline
from ..client.proxies import Proxy, Tunnel, shown_proxy, socks_client, socks_errors
from ..client.trust import default_context
from .sockets import look_up
from .tls_in_tls import TLSInTLS

__all__ = ["connect_through_http", "connect_through_socks", "start_tls"]


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
        context = default_context()
    deadline.step = f"performing the TLS handshake with {server_hostname}"
    if isinstance(sock, ssl.SSLSocket):
        # It has the methods of a socket that a connection calls.
        return cast(socket.socket, TLSInTLS(sock, context, server_hostname, deadline))
    sock.settimeout(deadline.left())
    return context.wrap_socket(sock, server_hostname=server_hostname)


def connect_through_http(
    open_proxy: Callable[[], socket.socket],
    proxy: Proxy,
    tunnel: Tunnel,
    deadline: Deadline,
    *,
    ssl: ssl.SSLContext | bool | None,
    server_hostname: str | None,
) -> socket.socket:
    """Connect to a server through an HTTP proxy before a deadline, without TLS to the server.

    See :func:`ws6455.aio.tunnel.connect_through_http`; `open_proxy` returns a socket that is
    connected to the proxy, `ssl` and `server_hostname` are for TLS to an https proxy.
    """
    sock = open_proxy()
    try:
        if proxy.scheme == "https":
            sock = start_tls(sock, ssl, server_hostname or proxy.host, deadline)
        within = _BeforeDeadline(sock, deadline, proxy)
        within.sendall(tunnel.request)
        while not tunnel.receive_data(within.recv(4096)):
            pass
    except BaseException:
        sock.close()
        raise
    return sock


def connect_through_socks(
    open_proxy: Callable[[], socket.socket],
    proxy: Proxy,
    host: str,
    port: int,
    deadline: Deadline,
) -> socket.socket:
    """Call :func:`ws6455.aio.tunnel.connect_through_socks` without asyncio, before a deadline.

    `open_proxy` returns a socket that is connected to the proxy.
    """

    def connect_to_proxy(**_: object) -> _BeforeDeadline:
        return _BeforeDeadline(open_proxy(), deadline, proxy)

    client = socks_client("sync", proxy, connect_to_proxy)
    target = host if proxy.resolves_names else first_address(look_up(host, port, deadline))
    with socks_errors():
        opened: _BeforeDeadline = client.connect(target, port)
    return opened.socket


class _BeforeDeadline:
    """Methods of a socket to a proxy that block until a deadline at most.

    Args:
        sock: the socket.
        deadline: the time limit of all calls together.
        proxy: the proxy that is to respond.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline, proxy: Proxy) -> None:
        deadline.step = f"waiting for the response of {shown_proxy(proxy)}"
        self.socket = sock
        self._deadline = deadline
        self.close = sock.close

    def sendall(self, data: bytes) -> None:
        self.socket.settimeout(self._deadline.left())
        self.socket.sendall(data)

    def recv(self, size: int) -> bytes:
        self.socket.settimeout(self._deadline.left())
        return self.socket.recv(size)
