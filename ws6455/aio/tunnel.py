"""Connections to a server through an HTTP or SOCKS proxy, for asyncio.

RFC 6455 §4.1 (proxies). The handshake with an HTTP proxy is in :mod:`ws6455.client.proxies`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any, cast

from ..client.proxies import Proxy, Tunnel, socks_arguments
from ..exceptions import ProxyError
from .tls import PlainProtocol, split_options, start_tls

__all__ = ["connect_through_http", "connect_through_socks", "default_context"]


def default_context(context: ssl.SSLContext | bool | None) -> ssl.SSLContext:
    """Return the TLS context for an argument `ssl`; True and None select the default."""
    return context if isinstance(context, ssl.SSLContext) else ssl.create_default_context()


async def connect_through_http(
    factory: Callable[[], asyncio.Protocol],
    proxy: Proxy,
    tunnel: Tunnel,
    *,
    proxy_options: dict[str, Any],
    context: ssl.SSLContext | bool | None,
    tls_options: dict[str, Any],
    **options: Any,
) -> None:
    """Connect a protocol to a server through an HTTP proxy.

    Args:
        factory: returns the protocol.
        proxy: the proxy; an https proxy is reached with TLS.
        tunnel: the handshake with the proxy.
        proxy_options: ``ssl``, ``server_hostname`` and so on, for TLS to the proxy.
        context: TLS context for the server, within the tunnel; None for plain text.
        tls_options: options of :func:`~ws6455.aio.tls.start_tls` for it.
        options: arguments of the loop's ``create_connection``.

    Raises:
        OSError: if TCP or TLS fails.
        ProxyError: if the proxy refuses, or its response is invalid.
    """
    loop = asyncio.get_running_loop()
    opened = loop.create_future()
    tunnel_protocol = _TunnelProtocol(tunnel, opened)
    options |= {"host": proxy.host, "port": proxy.port}
    if proxy.scheme == "https":
        defaults: dict[str, Any] = {"ssl": True, "server_hostname": proxy.host}
        proxy_options = defaults | proxy_options
        proxy_context = default_context(proxy_options["ssl"])
        proxy_tls_options = split_options(proxy_options)
        transport, _ = await loop.create_connection(PlainProtocol, **options, **proxy_options)
        transport = await start_tls(transport, tunnel_protocol, proxy_context, **proxy_tls_options)
    else:
        transport, _ = await loop.create_connection(
            lambda: tunnel_protocol, **options, **proxy_options
        )
    try:
        await opened
    except BaseException:
        transport.abort()
        raise
    protocol = factory()
    if context:
        await start_tls(transport, protocol, default_context(context), **tls_options)
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


async def connect_through_socks(proxy: Proxy, host: str, port: int) -> socket.socket:
    """Connect through a SOCKS proxy.

    Args:
        proxy: the proxy.
        host: the server's name or address.
        port: the server's TCP port.

    Raises:
        ImportError: if python-socks is not installed.
        OSError: if the connection to the proxy fails.
        ProxyError: if the proxy refuses.
    """
    arguments = socks_arguments(proxy)  # raises ImportError
    from python_socks import ProxyError as SOCKSError
    from python_socks.async_.asyncio import Proxy as SOCKSProxy

    try:
        return await SOCKSProxy(**arguments).connect(host, port)
    except SOCKSError as exc:
        raise ProxyError(f"SOCKS proxy did not connect: {exc}") from exc
