"""`websockets.protocol`, `client` and `server`: the protocol without input and output.

`recv_frame`, `events` and `reader` of `Protocol` are left out. They are internals of its parser,
which only its own tests use and the parser of ws6455 does not have.
"""

from .options import LEGACY
from .rows import Module

__all__ = ["MODULES", "UNDOCUMENTED"]

# Undocumented, but used by programs.
UNDOCUMENTED = """
    Protocol.send_frame Protocol.send_eof
    Frame.parse Frame.serialize Frame.check
"""

_NEGOTIATION = "extensions=None, subprotocols=None"
_PROTOCOL = "state=State.CONNECTING, max_size=2**20, logger=None"

MODULES = {
    "websockets.protocol": Module(
        names="""
            Protocol Side State SEND_EOF Event
            SERVER CLIENT CONNECTING OPEN CLOSING CLOSED
        """,
        signatures={
            "Protocol": "side, *, state=State.OPEN, max_size=2**20, logger=None",
            "Protocol.receive_data": "data",
            "Protocol.receive_eof": "",
            "Protocol.events_received": "",
            "Protocol.data_to_send": "",
            "Protocol.close_expected": "",
            "Protocol.send_text": "data, fin=True",
            "Protocol.send_binary": "data, fin=True",
            "Protocol.send_continuation": "data, fin",
            "Protocol.send_ping": "data",
            "Protocol.send_pong": "data",
            "Protocol.send_close": "code=None, reason=''",
            "Protocol.fail": "code, reason=''",
            "Protocol.send_frame": "frame",
            "Protocol.send_eof": "",
        },
        members={"Protocol": "close_exc"},
        attributes={
            "Protocol": """
                state close_code close_reason
                id logger debug side handshake_exc subprotocol extensions origin
                parser_exc close_rcvd close_sent close_rcvd_then_sent max_message_size
                writes
            """,
        },
        values={
            "Side.SERVER": 0,
            "Side.CLIENT": 1,
            "State.CONNECTING": 0,
            "State.OPEN": 1,
            "State.CLOSING": 2,
            "State.CLOSED": 3,
            "SERVER": 0,
            "CLIENT": 1,
            "CONNECTING": 0,
            "OPEN": 1,
            "CLOSING": 2,
            "CLOSED": 3,
            "SEND_EOF": b"",
        },
        parents={"Side": "enum:IntEnum", "State": "enum:IntEnum"},
    ),
    "websockets.client": Module(
        names="ClientProtocol process_exception backoff generate_key",
        deprecated="ClientConnection connect unix_connect WebSocketClientProtocol",
        signatures={
            "ClientProtocol": f"uri, *, origin=None, {_NEGOTIATION}, {_PROTOCOL}",
            "ClientProtocol.connect": "",
            "ClientProtocol.send_request": "request",
            "ClientProtocol.process_response": "response",
            "ClientProtocol.process_extensions": "headers",
            "ClientProtocol.process_subprotocol": "headers",
            "process_exception": "exc",
            "backoff": "initial_delay=5.0, min_delay=3.1, max_delay=90.0, factor=1.618",
            "generate_key": "",
            "connect": f"uri, *, {LEGACY}, origin=None, user_agent_header=USER_AGENT, **others",
            "unix_connect": "path=None, uri='ws://localhost/', **kwargs",
        },
        attributes={"ClientProtocol": "key uri"},
        parents={
            "ClientProtocol": "websockets.protocol:Protocol",
            "ClientConnection": "websockets.client:ClientProtocol",
        },
    ),
    "websockets.server": Module(
        names="ServerProtocol",
        deprecated="""
            ServerConnection serve unix_serve broadcast WebSocketServerProtocol WebSocketServer
        """,
        signatures={
            "ServerProtocol": (
                f"*, origins=None, {_NEGOTIATION}, select_subprotocol=None, {_PROTOCOL}"
            ),
            "ServerProtocol.accept": "request",
            "ServerProtocol.reject": "status, text",
            "ServerProtocol.send_response": "response",
            "ServerProtocol.select_subprotocol": "subprotocols",
            "ServerProtocol.process_request": "request",
            "ServerProtocol.process_origin": "headers",
            "ServerProtocol.process_extensions": "headers",
            "ServerProtocol.process_subprotocol": "headers",
            "serve": (
                f"ws_handler, host=None, port=None, *, {LEGACY}, origins=None, "
                "server_header=SERVER, process_request=None, select_subprotocol=None, **others"
            ),
            "unix_serve": "ws_handler, path=None, **kwargs",
            "broadcast": "websockets, message, raise_exceptions=False",
        },
        parents={
            "ServerProtocol": "websockets.protocol:Protocol",
            "ServerConnection": "websockets.server:ServerProtocol",
        },
    ),
}
