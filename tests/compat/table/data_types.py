"""`websockets.frames`, `http11`, `datastructures`, `uri` and `typing`: the types of the API."""

import http
import logging
import typing

from .rows import Module

__all__ = ["CLOSE_CODES", "MODULES", "OPCODES"]

OPCODES = {"CONT": 0, "TEXT": 1, "BINARY": 2, "CLOSE": 8, "PING": 9, "PONG": 10}

CLOSE_CODES = {
    "NORMAL_CLOSURE": 1000,
    "GOING_AWAY": 1001,
    "PROTOCOL_ERROR": 1002,
    "UNSUPPORTED_DATA": 1003,
    "NO_STATUS_RCVD": 1005,
    "ABNORMAL_CLOSURE": 1006,
    "INVALID_DATA": 1007,
    "POLICY_VIOLATION": 1008,
    "MESSAGE_TOO_BIG": 1009,
    "MANDATORY_EXTENSION": 1010,
    "INTERNAL_ERROR": 1011,
    "SERVICE_RESTART": 1012,
    "TRY_AGAIN_LATER": 1013,
    "BAD_GATEWAY": 1014,
    "TLS_HANDSHAKE": 1015,
}

MODULES = {
    "websockets.frames": Module(
        names=f"""
            Opcode CloseCode Frame Close {" ".join(OPCODES)}
            DATA_OPCODES CTRL_OPCODES OK_CLOSE_CODES EXTERNAL_CLOSE_CODES
        """,
        signatures={
            "Frame": "opcode, data, fin=True, rsv1=False, rsv2=False, rsv3=False",
            "Frame.parse": "read_exact, *, mask, max_size=None, extensions=None",
            "Frame.serialize": "*, mask, extensions=None",
            "Frame.check": "",
            "Close": "code, reason",
            "Close.parse": "data",
            "Close.serialize": "",
            "Close.check": "",
        },
        attributes={"Frame": "opcode data fin rsv1 rsv2 rsv3", "Close": "code reason"},
        parents={"Opcode": "enum:IntEnum", "CloseCode": "enum:IntEnum"},
        values={
            **OPCODES,
            **{f"Opcode.{name}": value for name, value in OPCODES.items()},
            **{f"CloseCode.{name}": value for name, value in CLOSE_CODES.items()},
            "DATA_OPCODES": {0, 1, 2},
            "CTRL_OPCODES": {8, 9, 10},
            "OK_CLOSE_CODES": {1000, 1001, 1005},
            "EXTERNAL_CLOSE_CODES": {
                *(1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014),
            },
        },
    ),
    "websockets.http11": Module(
        names="""
            Request Response USER_AGENT SERVER MAX_LINE_LENGTH MAX_NUM_HEADERS MAX_BODY_SIZE
        """,
        signatures={
            "Request": "path, headers, method='GET', protocol='HTTP/1.1'",
            "Request.parse": "read_line",
            "Request.serialize": "",
            "Response": "status_code, reason_phrase, headers, body=b''",
            "Response.parse": "read_line, read_exact, read_to_eof, proxy=False",
            "Response.serialize": "",
        },
        attributes={
            "Request": "path headers method protocol exception",
            "Response": "status_code reason_phrase headers body exception",
        },
        values={"MAX_LINE_LENGTH": 8192, "MAX_NUM_HEADERS": 128, "MAX_BODY_SIZE": 2**20},
    ),
    "websockets.datastructures": Module(
        names="Headers HeadersLike MultipleValuesError",
        signatures={
            "Headers": "*args, **kwargs",
            "Headers.get_all": "key",
            "Headers.raw_items": "",
            "Headers.copy": "",
            "Headers.update": "*args, **kwargs",
            "Headers.clear": "",
            "Headers.serialize": "",
        },
        members={"Headers": "__getitem__ __setitem__ __delitem__ __contains__ __eq__ __str__"},
        parents={
            "Headers": "collections.abc:MutableMapping",
            "MultipleValuesError": "builtins:LookupError",
        },
    ),
    # Names in `http` before release 10.
    "websockets.http": Module(
        deprecated="""
            Headers MultipleValuesError USER_AGENT build_host read_request read_response
        """,
    ),
    "websockets.uri": Module(
        names="parse_uri WebSocketURI",
        signatures={
            "parse_uri": "uri",
            "WebSocketURI": "secure, host, port, path, query, username=None, password=None",
        },
        members={"WebSocketURI": "resource_name user_info"},
        attributes={"WebSocketURI": "secure host port path query username password"},
    ),
    "websockets.typing": Module(
        names="""
            Data BytesLike DataLike LoggerLike StatusLike Origin Subprotocol ExtensionName
            ExtensionParameter ExtensionHeader ConnectionOption UpgradeProtocol
        """,
        values={
            "Data": str | bytes,
            "BytesLike": bytes | bytearray | memoryview,
            "DataLike": str | bytes | bytearray | memoryview,
            "LoggerLike": logging.Logger | logging.LoggerAdapter[typing.Any],
            "StatusLike": http.HTTPStatus | int,
        },
    ),
}
