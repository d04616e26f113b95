"""The request that asks an HTTP proxy for a tunnel.

RFC 9110 §9.3.6.
"""

from __future__ import annotations

from ..client.proxies import Proxy, Tunnel
from ..http1.head import USER_AGENT
from ..http1.uri import WebSocketURI

__all__ = ["prepare_connect_request"]


def prepare_connect_request(
    proxy: Proxy, ws_uri: WebSocketURI, user_agent_header: str | None = USER_AGENT
) -> bytes:
    """Return a CONNECT request as sent.

    Args:
        proxy: the proxy.
        ws_uri: where to.
        user_agent_header: the value of User-Agent; None for none.
    """
    return Tunnel(proxy, ws_uri.host, ws_uri.port, user_agent_header).request
