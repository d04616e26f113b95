"""`websockets.headers`, `proxy` and `streams`: undocumented, but used by programs."""

from .rows import Module

__all__ = ["MODULES"]

MODULES = {
    "websockets.headers": Module(
        names="""
            build_host parse_connection parse_upgrade parse_extension build_extension
            parse_subprotocol build_subprotocol validate_subprotocols
            build_www_authenticate_basic parse_authorization_basic build_authorization_basic
        """,
        signatures={
            "build_host": "host, port, secure, *, always_include_port=False",
            "parse_connection": "header",
            "parse_upgrade": "header",
            "parse_extension": "header",
            "build_extension": "extensions",
            "parse_subprotocol": "header",
            "build_subprotocol": "subprotocols",
            "validate_subprotocols": "subprotocols",
            "build_www_authenticate_basic": "realm",
            "parse_authorization_basic": "header",
            "build_authorization_basic": "username, password",
        },
    ),
    "websockets.proxy": Module(
        names="get_proxy parse_proxy Proxy InvalidProxy prepare_connect_request",
        signatures={
            "get_proxy": "uri",
            "parse_proxy": "proxy",
            "Proxy": "scheme, host, port, username=None, password=None",
            "prepare_connect_request": "proxy, ws_uri, user_agent_header=USER_AGENT",
        },
    ),
    "websockets.streams": Module(
        names="StreamReader",
        signatures={
            "StreamReader": "",
            "StreamReader.read_line": "m, too_long_exc_type=RuntimeError",
            "StreamReader.read_exact": "n",
            "StreamReader.read_to_eof": "m, too_long_exc_type=RuntimeError",
            "StreamReader.at_eof": "",
            "StreamReader.feed_data": "data",
            "StreamReader.feed_eof": "",
            "StreamReader.discard": "",
        },
    ),
}
