"""`websockets.legacy` and the modules of release 8, whose import may give a warning.

`process_extensions`, `read_http_request` and `write_http_response` of `WebSocketServerProtocol` are
left out. ws6455 does not call them in its handshake and rejects a subclass that overrides one
(tests/compat/test_connection.py).
"""

from .options import LEGACY
from .rows import Module

__all__ = ["MODULES"]

_HANDSHAKE = Module(
    deprecated="build_request check_request build_response check_response",
    signatures={
        "build_request": "headers",
        "check_request": "headers",
        "build_response": "headers, key",
        "check_response": "headers, key",
    },
)

_FRAMING = "Frame prepare_data prepare_ctrl encode_data parse_close serialize_close"

_FRAMING_SIGNATURES = {
    "Frame": "fin, opcode, data, rsv1=False, rsv2=False, rsv3=False",
    "Frame.read": "reader, *, mask, max_size=None, extensions=None",
    "Frame.write": "write, *, mask, extensions=None",
    "prepare_data": "data",
    "prepare_ctrl": "data",
    "encode_data": "data",
    "parse_close": "data",
    "serialize_close": "code, reason",
}

_OPCODES = {
    "OP_CONT": 0,
    "OP_TEXT": 1,
    "OP_BINARY": 2,
    "OP_CLOSE": 8,
    "OP_PING": 9,
    "OP_PONG": 10,
}

_COMMON_ATTRIBUTES = """
    open closed state close_code close_reason local_address remote_address
    path request_headers response_headers subprotocol extensions origin latency id logger
    is_client side host port secure
    loop transport messages pings close_rcvd close_sent
    transfer_data_task keepalive_ping_task close_connection_task
"""

_COMMON_METHODS = {
    "recv": "",
    "send": "message",
    "close": "code=1000, reason=''",
    "wait_closed": "",
    "ping": "data=None",
    "pong": "data=b''",
}

MODULES = {
    "websockets.legacy.client": Module(
        deprecated="connect unix_connect WebSocketClientProtocol Connect",
        signatures={
            "connect": f"uri, *, {LEGACY}, origin=None, user_agent_header=USER_AGENT, **others",
            "unix_connect": "path=None, uri='ws://localhost/', **kwargs",
        },
        members={
            "connect": """
                __await__ __aenter__ __aexit__ __aiter__
                BACKOFF_INITIAL BACKOFF_MIN BACKOFF_MAX BACKOFF_FACTOR MAX_REDIRECTS_ALLOWED
            """,
        },
        attributes={"connect": "protocol", "WebSocketClientProtocol": _COMMON_ATTRIBUTES},
        parents={"WebSocketClientProtocol": "websockets.legacy.protocol:WebSocketCommonProtocol"},
    ),
    "websockets.legacy.protocol": Module(
        deprecated="WebSocketCommonProtocol broadcast",
        signatures={
            f"WebSocketCommonProtocol.{name}": text for name, text in _COMMON_METHODS.items()
        },
        members={
            "WebSocketCommonProtocol": "__aiter__ ensure_open fail_connection connection_open"
        },
    ),
    "websockets.legacy.server": Module(
        deprecated="""
            serve unix_serve broadcast Serve WebSocketServer WebSocketServerProtocol
        """,
        signatures={
            "serve": (
                f"ws_handler, host=None, port=None, *, {LEGACY}, origins=None, "
                "server_header=SERVER, process_request=None, select_subprotocol=None, **others"
            ),
            "unix_serve": "ws_handler, path=None, **kwargs",
            "broadcast": "websockets, message, raise_exceptions=False",
            "WebSocketServer.close": "close_connections=True",
            "WebSocketServer.wait_closed": "",
            "WebSocketServer.is_serving": "",
            "WebSocketServer.start_serving": "",
            "WebSocketServer.serve_forever": "",
            "WebSocketServer.get_loop": "",
            "WebSocketServerProtocol.process_request": "path, request_headers",
            "WebSocketServerProtocol.select_subprotocol": (
                "client_subprotocols, server_subprotocols"
            ),
        },
        members={
            "serve": "__await__ __aenter__ __aexit__",
            "WebSocketServer": "sockets __aenter__ __aexit__ register unregister",
            "WebSocketServerProtocol": """
                process_request select_subprotocol process_origin process_subprotocol handshake
            """,
        },
        attributes={
            "serve": "ws_server",
            "WebSocketServer": "websockets sockets",
            "WebSocketServerProtocol": f"{_COMMON_ATTRIBUTES} handler_task ws_server",
        },
        parents={"WebSocketServerProtocol": "websockets.legacy.protocol:WebSocketCommonProtocol"},
    ),
    "websockets.legacy.auth": Module(
        deprecated="BasicAuthWebSocketServerProtocol basic_auth_protocol_factory",
        signatures={
            "basic_auth_protocol_factory": (
                "realm=None, credentials=None, check_credentials=None, create_protocol=None"
            ),
            "BasicAuthWebSocketServerProtocol.check_credentials": "username, password",
        },
        members={"BasicAuthWebSocketServerProtocol": "realm username"},
        parents={
            "BasicAuthWebSocketServerProtocol": "websockets.legacy.server:WebSocketServerProtocol"
        },
    ),
    "websockets.legacy.framing": Module(deprecated=_FRAMING, signatures=_FRAMING_SIGNATURES),
    "websockets.framing": Module(
        deprecated=f"{_FRAMING} {' '.join(_OPCODES)}",
        signatures=_FRAMING_SIGNATURES,
        values=_OPCODES,
    ),
    "websockets.legacy.handshake": _HANDSHAKE,
    "websockets.handshake": _HANDSHAKE,
    "websockets.legacy.http": Module(
        deprecated="read_request read_response read_headers",
        signatures={
            "read_request": "stream",
            "read_response": "stream",
            "read_headers": "stream",
        },
    ),
}
