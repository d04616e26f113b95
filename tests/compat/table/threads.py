"""`websockets.sync`: clients, servers and connections over threads."""

from .options import CLIENT, CONNECTION, RECONNECTING, SERVER
from .rows import Module

__all__ = ["MODULES"]

_CLIENT = (
    "sock=None, ssl=None, server_hostname=None, proxy_ssl=None, proxy_server_hostname=None, "
    f"{CLIENT}"
)

_CONNECTION_METHODS = {
    "recv": "timeout=None, decode=None",
    "recv_streaming": "decode=None",
    "send": "message, *, text=None",
    "close": "code=1000, reason=''",
    "wait_closed": "timeout=None",
    "ping": "data=None, *, ack_on_close=False",
    "pong": "data=b''",
}

_CONNECTION_ATTRIBUTES = """
    id logger local_address remote_address latency state subprotocol request response
    close_code close_reason
    protocol socket ping_interval ping_timeout close_timeout
"""

MODULES = {
    "websockets.sync.client": Module(
        names="connect unix_connect reconnect unix_reconnect ClientConnection",
        signatures={
            "connect": f"uri, *, {_CLIENT}, legacy=None, **others",
            "unix_connect": "path=None, uri=None, *, legacy=None, **kwargs",
            "reconnect": f"uri, *, {_CLIENT}, {RECONNECTING}, **others",
            "unix_reconnect": "path=None, uri=None, **kwargs",
            "ClientConnection": f"sock, protocol, *, {CONNECTION}",
            **{f"ClientConnection.{name}": text for name, text in _CONNECTION_METHODS.items()},
        },
        members={"reconnect": "__enter__ __exit__ __iter__"},
        attributes={"ClientConnection": _CONNECTION_ATTRIBUTES},
        parents={"ClientConnection": "websockets.sync.connection:Connection"},
    ),
    "websockets.sync.connection": Module(
        names="Connection",
        signatures={
            "Connection": f"sock, protocol, *, {CONNECTION}",
            **{f"Connection.{name}": text for name, text in _CONNECTION_METHODS.items()},
        },
        members={"Connection": "__enter__ __exit__ __iter__"},
    ),
    "websockets.sync.server": Module(
        names="serve unix_serve broadcast basic_auth Server ServerConnection",
        deprecated="WebSocketServer",
        signatures={
            "serve": f"handler, host=None, port=None, *, sock=None, ssl=None, {SERVER}, **others",
            "unix_serve": "handler, path=None, **kwargs",
            "broadcast": (
                "connections, message, *, text=None, raise_exceptions=False, **of_the_thread_pool"
            ),
            "basic_auth": "realm='', credentials=None, check_credentials=None",
            "Server.serve_forever": "",
            "Server.shutdown": "close_connections=True, code=1001, reason=''",
            "Server.fileno": "",
            "ServerConnection": f"sock, protocol, server, *, {CONNECTION}",
            "ServerConnection.respond": "status, text",
            **{f"ServerConnection.{name}": text for name, text in _CONNECTION_METHODS.items()},
        },
        members={"Server": "__enter__ __exit__ connections"},
        attributes={
            "Server": "connections socket logger",
            "ServerConnection": f"{_CONNECTION_ATTRIBUTES} server",
        },
        parents={"ServerConnection": "websockets.sync.connection:Connection"},
    ),
    "websockets.sync.router": Module(
        names="route unix_route Router",
        signatures={
            "route": "url_map, *args, server_name=None, ssl=None, create_router=None, **kwargs",
            "unix_route": "url_map, path=None, **kwargs",
            "Router": "url_map, server_name=None, url_scheme='ws'",
            "Router.get_server_name": "connection, request",
            "Router.redirect": "connection, url",
            "Router.not_found": "connection",
            "Router.route_request": "connection, request",
            "Router.handler": "connection",
        },
    ),
}
