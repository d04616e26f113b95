"""Table of the modules and names of `websockets` 8 to 17, and their counterparts in ws6455.

Each module maps a module of ws6455 to its names, as ``theirs=ours`` where the names differ.

- ``PUBLIC``: the names in ``__all__``.
- ``MORE``: names that can be imported as well, undocumented or of earlier versions.
- ``COMMON``: names that the modules in ``USERS`` import from other modules, and that programs
  import from there.
- ``ABSENT``: the reasons why modules have no counterpart.
"""

__all__ = ["ABSENT", "COMMON", "MORE", "PUBLIC", "RELEASED", "USERS", "VERSION"]

# The value of `websockets.__version__`: the latest version whose API is offered.
VERSION = "17.4"
RELEASED = True

_ERRORS = {
    "ws6455.exceptions": (
        "ConcurrencyError DuplicateParameter HeaderLineTooLong InvalidHandshake InvalidHeader "
        "InvalidHeaderFormat InvalidHeaderValue InvalidMessage InvalidMethod InvalidOrigin "
        "InvalidParameterName InvalidParameterValue InvalidProtocol InvalidProxy "
        "InvalidProxyMessage InvalidProxyStatus InvalidState InvalidStatus InvalidUpgrade "
        "InvalidURI NegotiationError ProtocolError ProxyError RequestLineTooLong SecurityError "
        "StatusLineTooLong TooManyFragments TooManyHeaders WebSocketException"
    ),
    "ws6455.compat.exceptions": (
        "ConnectionClosed ConnectionClosedError ConnectionClosedOK PayloadTooBig"
    ),
}
_OLD_ERRORS = {
    "ws6455.compat.exceptions": "AbortHandshake InvalidStatusCode RedirectHandshake",
    "ws6455.exceptions": "WebSocketProtocolError=ProtocolError",
}
_BASIC_AUTH = {
    "ws6455.compat.auth": "BasicAuthWebSocketServerProtocol basic_auth_protocol_factory",
}
_OLD_CLIENT = {
    "ws6455.compat.client": "connect=Connect unix_connect=legacy_unix_connect",
    "ws6455.compat.connection": "WebSocketClientProtocol=ClientConnection",
}
_OLD_SERVER = {
    "ws6455.compat.server": (
        "serve=Serve unix_serve=legacy_unix_serve broadcast=legacy_broadcast WebSocketServer=Server"
    ),
    "ws6455.compat.connection": "WebSocketServerProtocol=ServerConnection",
}
_FRAMING = {
    "ws6455.compat.frames": (
        "Frame=LegacyFrame prepare_data prepare_ctrl encode_data parse_close serialize_close"
    ),
}
_HANDSHAKE = {
    "ws6455.compat.http1": "build_request check_request build_response check_response",
}
_OPCODES = (
    "CONT TEXT BINARY CLOSE PING PONG "
    "OP_CONT OP_TEXT OP_BINARY OP_CLOSE OP_PING OP_PONG DATA_OPCODES CTRL_OPCODES "
    "OK_CLOSE_CODES EXTERNAL_CLOSE_CODES CLOSE_CODES CLOSE_CODE_EXPLANATIONS"
)

PUBLIC: dict[str, dict[str, str]] = {
    "websockets": {
        "ws6455.compat.client": "connect unix_connect",
        "ws6455.compat.connection": "ClientConnection ServerConnection",
        "ws6455.compat.server": "serve unix_serve Server route unix_route",
        "ws6455.aio.router": "Router",
        "ws6455.aio.broadcast": "broadcast",
        "ws6455.aio.basic_auth": "basic_auth",
        "ws6455.compat.protocol": "ClientProtocol ServerProtocol Protocol",
        "ws6455.protocol.states": "Side State",
        "ws6455.http1.headers": "Headers HeadersLike MultipleValuesError",
        "ws6455.compat.http1": "Request Response",
        **_ERRORS,
        "ws6455.compat.frames": "Frame",
        "ws6455.framing.frames": "Close CloseCode Opcode",
        "ws6455.typing": (
            "Data ExtensionName ExtensionParameter LoggerLike Origin StatusLike Subprotocol"
        ),
    },
    # Front ends -----------------------------------------------------------------------------
    "websockets.asyncio": {},
    "websockets.asyncio.client": {
        "ws6455.compat.client": "connect unix_connect",
        "ws6455.compat.connection": "ClientConnection",
    },
    "websockets.asyncio.connection": {
        "ws6455.compat.connection": "Connection=WebSocketCommonProtocol",
    },
    "websockets.asyncio.router": {
        "ws6455.compat.server": "route unix_route",
        "ws6455.aio.router": "Router",
    },
    "websockets.asyncio.server": {
        "ws6455.compat.server": "serve unix_serve Server",
        "ws6455.compat.connection": "ServerConnection",
        "ws6455.aio.broadcast": "broadcast",
        "ws6455.aio.basic_auth": "basic_auth",
    },
    "websockets.sync": {},
    "websockets.sync.client": {
        "ws6455.compat.sync": ("connect unix_connect reconnect unix_reconnect ClientConnection"),
    },
    "websockets.sync.connection": {"ws6455.sync.connection": "Connection"},
    "websockets.sync.router": {
        "ws6455.compat.sync": "route unix_route",
        "ws6455.sync.router": "Router",
    },
    "websockets.sync.server": {
        "ws6455.compat.sync": "serve unix_serve broadcast",
        "ws6455.sync.server": "ServerConnection Server",
        "ws6455.sync.basic_auth": "basic_auth",
    },
    # Without I/O ----------------------------------------------------------------------------
    "websockets.client": {"ws6455.compat.protocol": "ClientProtocol"},
    "websockets.server": {"ws6455.compat.protocol": "ServerProtocol"},
    "websockets.protocol": {
        "ws6455.compat.protocol": "Protocol",
        "ws6455.protocol.protocol": "SEND_EOF",
        "ws6455.protocol.states": "Side State",
    },
    "websockets.connection": {
        "ws6455.compat.protocol": "Connection=Protocol",
        "ws6455.protocol.protocol": "SEND_EOF",
        "ws6455.protocol.states": "Side State",
    },
    # Data types -----------------------------------------------------------------------------
    "websockets.datastructures": {
        "ws6455.http1.headers": "Headers HeadersLike MultipleValuesError"
    },
    "websockets.exceptions": _ERRORS,
    "websockets.frames": {
        "ws6455.framing.frames": "Opcode CloseCode Close",
        "ws6455.compat.frames": "Frame",
    },
    "websockets.http11": {
        "ws6455.http1.head": "SERVER USER_AGENT",
        "ws6455.compat.http1": "Request Response",
    },
    "websockets.typing": {
        "ws6455.typing": (
            "Data LoggerLike StatusLike Origin Subprotocol ExtensionName ExtensionParameter"
        ),
    },
    "websockets.uri": {"ws6455.compat.http1": "parse_uri WebSocketURI"},
    "websockets.version": {"ws6455.compat.names": "tag=VERSION version=VERSION commit=VERSION"},
    # Extensions -----------------------------------------------------------------------------
    "websockets.extensions": {
        "ws6455.compat.extensions": "Extension ClientExtensionFactory ServerExtensionFactory",
    },
    "websockets.extensions.base": {
        "ws6455.compat.extensions": "Extension ClientExtensionFactory ServerExtensionFactory",
    },
    "websockets.extensions.permessage_deflate": {
        "ws6455.compat.extensions": (
            "PerMessageDeflate ClientPerMessageDeflateFactory enable_client_permessage_deflate "
            "ServerPerMessageDeflateFactory enable_server_permessage_deflate"
        ),
    },
    "websockets.__main__": {},
    # Other parts that programs use ----------------------------------------------------------
    "websockets.auth": _BASIC_AUTH,
    "websockets.cli": {"ws6455.compat.program": "main"},
    "websockets.headers": {
        "ws6455.http1.header_values": "build_host",
        "ws6455.compat.http1": (
            "parse_connection parse_upgrade parse_extension build_extension "
            "parse_subprotocol build_subprotocol"
        ),
        "ws6455.protocol.handshake": "validate_subprotocols",
        "ws6455.http1.basic_auth": (
            "build_www_authenticate_basic parse_authorization_basic build_authorization_basic"
        ),
    },
    "websockets.imports": {"ws6455.compat.imports": "lazy_import"},
    "websockets.proxy": {"ws6455.client.proxies": "get_proxy parse_proxy Proxy"},
    "websockets.speedups": {"ws6455.compat.frames": "apply_mask"},
    "websockets.streams": {"ws6455.compat.protocol": "StreamReader"},
    "websockets.utils": {
        "ws6455.protocol.handshake": "accept_key",
        "ws6455.compat.frames": "apply_mask",
        "ws6455.compat.server": "get_socket_name",
    },
    # Up to version 13 -----------------------------------------------------------------------
    "websockets.legacy": {},
    "websockets.legacy.auth": _BASIC_AUTH,
    "websockets.legacy.client": _OLD_CLIENT,
    "websockets.legacy.exceptions": _OLD_ERRORS,
    "websockets.legacy.framing": _FRAMING,
    "websockets.legacy.handshake": _HANDSHAKE,
    "websockets.legacy.http": {"ws6455.compat.http1": "read_request read_response"},
    "websockets.legacy.protocol": {"ws6455.compat.connection": "WebSocketCommonProtocol"},
    "websockets.legacy.server": _OLD_SERVER,
    # Up to version 9 ------------------------------------------------------------------------
    "websockets.framing": _FRAMING,
    "websockets.handshake": _HANDSHAKE,
    "websockets.http": {
        "ws6455.http1.headers": "Headers MultipleValuesError",
        "ws6455.http1.head": "USER_AGENT",
        "ws6455.http1.header_values": "build_host",
        "ws6455.compat.http1": "read_request read_response",
    },
    # uvicorn's protocols for `websockets` ------------------------------------------------------
    "uvicorn.protocols.websockets.websockets_impl": {"ws6455.uvicorn": "WebSocketProtocol"},
    "uvicorn.protocols.websockets.websockets_sansio_impl": {
        "ws6455.uvicorn": "WebSocketsSansIOProtocol=WebSocketProtocol",
    },
}

MORE: dict[str, dict[str, str]] = {
    "websockets": {
        "ws6455.compat.names": "__version__=VERSION",
        "ws6455.compat.connection": (
            "WebSocketClientProtocol=ClientConnection WebSocketServerProtocol=ServerConnection "
            "WebSocketCommonProtocol"
        ),
        "ws6455.compat.server": "WebSocketServer=Server",
        "ws6455.compat.http1": "parse_uri WebSocketURI",
        "ws6455.compat.typing": "ExtensionHeader",
        **_BASIC_AUTH,
        **_OLD_ERRORS,
    },
    "websockets.asyncio.client": {
        "ws6455.http1.head": "USER_AGENT",
        "ws6455.client.reconnecting": "backoff process_exception",
        "ws6455.client.redirects": "MAX_REDIRECTS",
    },
    "websockets.asyncio.connection": {"ws6455.aio.broadcast": "broadcast"},
    "websockets.asyncio.server": {"ws6455.http1.head": "SERVER"},
    "websockets.auth": {"ws6455.http1.basic_auth": "is_credentials"},
    "websockets.client": {
        **_OLD_CLIENT,
        "ws6455.compat.protocol": "ClientConnection=ClientProtocol",
        "ws6455.protocol.handshake": "generate_key",
        "ws6455.http1.head": "USER_AGENT",
        "ws6455.client.reconnecting": (
            "backoff process_exception "
            "BACKOFF_INITIAL_DELAY=INITIAL_DELAY BACKOFF_MIN_DELAY=MIN_DELAY "
            "BACKOFF_MAX_DELAY=MAX_DELAY BACKOFF_FACTOR=FACTOR"
        ),
    },
    "websockets.server": {
        **_OLD_SERVER,
        "ws6455.compat.protocol": "ServerConnection=ServerProtocol",
        "ws6455.http1.head": "USER_AGENT SERVER",
    },
    "websockets.protocol": {
        "ws6455.compat.protocol": "Event",
        "ws6455.compat.frames": "SERVER CLIENT CONNECTING OPEN CLOSING CLOSED OK_CLOSE_CODES",
        "ws6455.compat.connection": "WebSocketCommonProtocol",
    },
    "websockets.connection": {
        "ws6455.compat.protocol": "Event",
        "ws6455.compat.frames": "SERVER CLIENT CONNECTING OPEN CLOSING CLOSED",
    },
    "websockets.datastructures": {"ws6455.http1.headers": "SupportsKeysAndGetItem"},
    "websockets.exceptions": {
        **_OLD_ERRORS,
        "ws6455.compat.frames": "CLOSE_CODES",
    },
    "websockets.frames": {
        "ws6455.compat.frames": (
            f"{_OPCODES} prepare_data prepare_ctrl parse_close serialize_close"
        ),
        "ws6455.typing": "BytesLike",
    },
    "websockets.http11": {
        "ws6455.http1.headers": "Headers",
        "ws6455.http1.head": "MAX_NUM_HEADERS=MAX_HEADERS MAX_LINE_LENGTH=MAX_LINE_SIZE",
        "ws6455.http1.body": "MAX_BODY_SIZE",
    },
    "websockets.typing": {
        "ws6455.typing": "BytesLike DataLike",
        "ws6455.compat.typing": "PathLike ExtensionHeader ConnectionOption UpgradeProtocol",
    },
    "websockets.version": {"ws6455.compat.names": "released=RELEASED"},
    "websockets.headers": {
        "ws6455.compat.http1": (
            "parse_extension_list=parse_extension build_extension_list=build_extension "
            "parse_subprotocol_list=parse_subprotocol build_subprotocol_list=build_subprotocol"
        ),
    },
    "websockets.imports": {"ws6455.compat.imports": "import_name"},
    "websockets.proxy": {
        "ws6455.compat.http1": "prepare_connect_request",
        "ws6455.http1.head": "USER_AGENT",
        "ws6455.exceptions": "InvalidProxy",
    },
    "websockets.sync.client": {
        "ws6455.http1.head": "USER_AGENT",
        "ws6455.client.redirects": "MAX_REDIRECTS",
    },
    "websockets.sync.server": {
        "ws6455.http1.head": "SERVER",
        "ws6455.sync.server": "WebSocketServer=Server",
    },
    "websockets.utils": {"ws6455.protocol.handshake": "generate_key"},
    "websockets.legacy.auth": {
        "ws6455.http1.basic_auth": "Credentials is_credentials",
        "ws6455.compat.typing": "HTTPResponse",
    },
    "websockets.legacy.client": {
        "ws6455.compat.client": "Connect",
        "ws6455.compat.connection": "WebSocketCommonProtocol",
    },
    "websockets.legacy.framing": {"ws6455.compat.frames": _OPCODES},
    "websockets.legacy.http": {
        "ws6455.compat.http1": "read_headers",
        "ws6455.http1.head": "MAX_NUM_HEADERS=MAX_HEADERS MAX_LINE_LENGTH=MAX_LINE_SIZE",
    },
    "websockets.legacy.protocol": {"ws6455.compat.server": "broadcast=legacy_broadcast"},
    "websockets.legacy.server": {
        "ws6455.compat.server": "Serve",
        "ws6455.compat.connection": "WebSocketCommonProtocol",
        "ws6455.compat.typing": "HTTPResponse HeadersLikeOrCallable",
    },
    "websockets.framing": {"ws6455.compat.frames": _OPCODES},
    "websockets.http": {"ws6455.compat.http1": "read_headers"},
}

COMMON = {
    "ws6455.compat.frames": "CONNECTING OPEN CLOSING CLOSED Frame",
    "ws6455.compat.protocol": "Protocol",
    **_ERRORS,
    "ws6455.framing.frames": "Close CloseCode Opcode",
    "ws6455.http1.headers": "Headers",
    "ws6455.compat.http1": "Request Response",
    "ws6455.protocol.states": "State",
    "ws6455.typing": "Origin Subprotocol",
}
USERS = {
    *("websockets.client", "websockets.server", "websockets.protocol", "websockets.connection"),
    *(
        f"websockets.{front_end}.{module}"
        for front_end in ("asyncio", "sync")
        for module in ("client", "connection", "router", "server")
    ),
    *(f"websockets.legacy.{module}" for module in ("client", "protocol", "server")),
}

ABSENT = {
    "websockets.trio": "it has front ends for asyncio and for threads; trio has no counterpart",
    "websockets.asyncio.messages": "messages are assembled within the protocol",
    "websockets.asyncio.compatibility": "Python 3.11 has its own",
    "websockets.asyncio.async_timeout": "Python 3.11 has its own",
    "websockets.sync.messages": "messages are assembled within the protocol",
    "websockets.sync.utils": "the clock is part of the session",
}
