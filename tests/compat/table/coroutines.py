"""`websockets.asyncio`: clients, servers and connections over asyncio."""

from .options import CLIENT, CONNECTION, RECONNECTING, SERVER
from .rows import Module

__all__ = ["MODULES"]

_CONNECTION_METHODS = {
    "recv": "decode=None",
    "recv_streaming": "decode=None",
    "send": "message, *, text=None",
    "close": "code=1000, reason=''",
    "wait_closed": "",
    "ping": "data=None",
    "pong": "data=b''",
}

_CONNECTION_ATTRIBUTES = """
    id logger local_address remote_address latency state subprotocol request response
    close_code close_reason
    protocol transport loop ping_interval ping_timeout close_timeout debug
"""

_ROUTER_METHODS = {
    "Router": "url_map, server_name=None, url_scheme='ws'",
    "Router.get_server_name": "connection, request",
    "Router.redirect": "connection, url",
    "Router.not_found": "connection",
    "Router.route_request": "connection, request",
    "Router.handler": "connection",
}

MODULES = {
    "websockets.asyncio.client": Module(
        names="connect unix_connect ClientConnection MAX_REDIRECTS process_exception backoff",
        signatures={
            "connect": f"uri, *, {CLIENT}, {RECONNECTING}, write_limit=2**15, **others",
            "connect.process_redirect": "exc",
            "unix_connect": "path=None, uri=None, **kwargs",
            "process_exception": "exc",
            "ClientConnection": f"protocol, *, {CONNECTION}, write_limit=2**15",
            **{f"ClientConnection.{name}": text for name, text in _CONNECTION_METHODS.items()},
        },
        members={"connect": "process_redirect __await__ __aenter__ __aexit__ __aiter__"},
        attributes={
            "connect": "uri ws_uri connection",
            "ClientConnection": _CONNECTION_ATTRIBUTES,
        },
        parents={"ClientConnection": "websockets.asyncio.connection:Connection"},
        values={"MAX_REDIRECTS": 10},
    ),
    "websockets.asyncio.connection": Module(
        names="Connection",
        signatures={
            "Connection": f"protocol, *, {CONNECTION}, write_limit=2**15",
            **{f"Connection.{name}": text for name, text in _CONNECTION_METHODS.items()},
        },
        members={
            "Connection": """
                __aenter__ __aexit__ __aiter__
                connection_made connection_lost data_received eof_received
                pause_writing resume_writing
            """,
        },
        parents={"Connection": "asyncio:Protocol"},
    ),
    "websockets.asyncio.server": Module(
        names="serve unix_serve broadcast basic_auth Server ServerConnection",
        signatures={
            "serve": f"handler, host=None, port=None, *, {SERVER}, write_limit=2**15, **others",
            "unix_serve": "handler, path=None, **kwargs",
            "broadcast": "connections, message, *, text=None, raise_exceptions=False",
            "basic_auth": "realm='', credentials=None, check_credentials=None",
            "Server.close": "close_connections=True, code=1001, reason=''",
            "Server.wait_closed": "",
            "Server.serve_forever": "",
            "Server.start_serving": "",
            "Server.is_serving": "",
            "Server.get_loop": "",
            "ServerConnection": f"protocol, server, *, {CONNECTION}, write_limit=2**15",
            "ServerConnection.respond": "status, text",
            **{f"ServerConnection.{name}": text for name, text in _CONNECTION_METHODS.items()},
        },
        members={"Server": "__await__ __aenter__ __aexit__ sockets connections"},
        attributes={
            "Server": "sockets connections logger server",
            "ServerConnection": f"{_CONNECTION_ATTRIBUTES} server",
        },
        parents={"ServerConnection": "websockets.asyncio.connection:Connection"},
    ),
    "websockets.asyncio.router": Module(
        names="route unix_route Router",
        signatures={
            "route": "url_map, *args, server_name=None, ssl=None, create_router=None, **kwargs",
            "unix_route": "url_map, path=None, **kwargs",
            **_ROUTER_METHODS,
        },
    ),
}
