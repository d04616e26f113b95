"""Connections to a server through an HTTP or SOCKS proxy, for asyncio.

RFC 6455 §4.1 (proxies). The handshake with an HTTP proxy is in :mod:`ws6455.client.proxies`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any, cast

from ..client.addresses import first_address
from ..client.deadline import Deadline
from ..client.proxies import Proxy, Tunnel, shown_proxy, socks_client, socks_errors
from ..client.trust import default_context, loaded_context
from .sockets import look_up, open_tcp, open_transport
from .tls import split_options, start_tls

__all__ = ["connect_through_http", "connect_through_socks", "load_default_context"]

# python-socks takes None for its own default; the deadline of the caller is the limit.
_NO_LIMIT = 365 * 86400


async def load_default_context(deadline: Deadline) -> ssl.SSLContext:
    """Return the default TLS context; load it in a thread if it has not been loaded yet.

    Args:
        deadline: is told the step.
    """
    context = loaded_context()
    if context is None:
        deadline.step = "loading the trusted certificates"
        context = await asyncio.to_thread(default_context)
    return context


async def connect_through_http(
    factory: Callable[[], asyncio.Protocol],
    proxy: Proxy,
    tunnel: Tunnel,
    deadline: Deadline,
    *,
    proxy_options: dict[str, Any],
    tcp_options: dict[str, Any],
    context: ssl.SSLContext | None,
    tls_options: dict[str, Any],
    **options: Any,
) -> None:
    """Connect a protocol to a server through an HTTP proxy.

    Args:
        factory: returns the protocol.
        proxy: the proxy; an https proxy is reached with TLS.
        tunnel: the handshake with the proxy.
        deadline: is told the steps.
        proxy_options: ``ssl``, ``server_hostname`` and so on, for TLS to the proxy.
        tcp_options: options of :func:`~ws6455.aio.sockets.open_tcp`.
        context: TLS context for the server, within the tunnel; None for plain text.
        tls_options: options of :func:`~ws6455.aio.tls.start_tls` for it.
        options: arguments of the loop's ``create_connection``.

    Raises:
        OSError: if TCP or TLS fails.
        ProxyError: if the proxy refuses, or its response is invalid.
    """
    opened = asyncio.get_running_loop().create_future()
    if proxy.scheme == "https":
        proxy_options = {"ssl": True, "server_hostname": proxy.host} | proxy_options
    proxy_context = proxy_options.get("ssl")
    proxy_tls_options = split_options(proxy_options)
    if proxy_context is True:
        proxy_context = await load_default_context(deadline)
    transport = await open_transport(
        lambda: _TunnelProtocol(tunnel, opened),
        await open_tcp(proxy.host, proxy.port, deadline, **tcp_options),
        deadline,
        proxy_context,
        proxy_tls_options,
        **options,
        **proxy_options,
    )
    try:
        deadline.step = f"waiting for the response of {shown_proxy(proxy)}"
        await opened
    except BaseException:
        transport.abort()
        raise
    protocol = factory()
    if context:
        deadline.step = f"performing the TLS handshake with {tls_options['server_hostname']}"
        await start_tls(transport, protocol, context, **tls_options)
    else:
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


class _TunnelProtocol(asyncio.Protocol):
    """Protocol for the handshake with the proxy; replaced once the tunnel is open."""

    def __init__(self, tunnel: Tunnel, opened: asyncio.Future[None]) -> None:
        self._tunnel = tunnel
        self._opened = opened

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._tunnel.request)

    def data_received(self, data: bytes) -> None:
        if self._opened.done():
            return  # refused or cancelled
        try:
            if self._tunnel.receive_data(data):
                self._opened.set_result(None)
        except Exception as exc:
            self._opened.set_exception(exc)

    def eof_received(self) -> None:
        self.data_received(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and not self._opened.done():
            self._opened.set_exception(exc)
        self.data_received(b"")


async def connect_through_socks(
    proxy: Proxy, host: str, port: int, deadline: Deadline, tcp_options: dict[str, Any]
) -> socket.socket:
    """Connect through a SOCKS proxy.

    Args:
        proxy: the proxy.
        host: the server's name or address.
        port: the server's TCP port.
        deadline: is told the steps.
        tcp_options: options of :func:`~ws6455.aio.sockets.open_tcp`.

    Raises:
        ImportError: if python-socks is not installed.
        OSError: if the connection to the proxy fails.
        ProxyError: if the proxy refuses.
    """

    async def connect_to_proxy(**_: object) -> socket.socket:
        sock = await open_tcp(proxy.host, proxy.port, deadline, **tcp_options)
        deadline.step = f"waiting for the response of {shown_proxy(proxy)}"
        return sock

    client = socks_client("async_.asyncio", proxy, connect_to_proxy)
    if not proxy.resolves_names:
        host = first_address(await look_up(host, port, deadline))
    with socks_errors():
        opened: socket.socket = await client.connect(host, port, timeout=_NO_LIMIT)
    return opened
