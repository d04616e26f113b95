"""The top level of `websockets`, its aliases and its command line."""

from .options import CLIENT, RECONNECTING, SERVER
from .rows import Module

__all__ = ["ALL", "FORMER_KEYWORDS", "MODULES", "SUBMODULES", "UNOFFERED"]

# `websockets.__all__` of 17.4.
ALL = """
    connect unix_connect ClientConnection
    serve unix_serve broadcast basic_auth Server ServerConnection
    route unix_route Router
    ClientProtocol ServerProtocol Protocol Side State
    Headers HeadersLike MultipleValuesError
    Frame Opcode Close CloseCode Request Response
    WebSocketException ConnectionClosed ConnectionClosedOK ConnectionClosedError InvalidURI
    InvalidProxy InvalidHandshake SecurityError RequestLineTooLong StatusLineTooLong
    HeaderLineTooLong TooManyHeaders TooManyFragments ProxyError InvalidProxyMessage
    InvalidProxyStatus InvalidMessage InvalidMethod InvalidProtocol InvalidStatus InvalidHeader
    InvalidHeaderFormat InvalidHeaderValue InvalidOrigin InvalidUpgrade NegotiationError
    DuplicateParameter InvalidParameterName InvalidParameterValue ProtocolError PayloadTooBig
    InvalidState ConcurrencyError
    Data ExtensionName ExtensionParameter LoggerLike Origin StatusLike Subprotocol
"""

# Submodules that are attributes after a bare `import websockets`.
SUBMODULES = """
    asyncio client connection datastructures exceptions extensions frames headers http11 legacy
    protocol server sync typing uri version
"""

# Modules whose import raises an ImportError: they need trio.
UNOFFERED = "websockets.trio.client websockets.trio.server websockets.trio.router"

# Arguments of `connect` and `serve` in releases 8 to 13, each with a value.
FORMER_KEYWORDS: dict[str, object] = {
    "extra_headers": {"X-Test": "1"},
    "timeout": 1,
    "klass": None,
    "create_protocol": None,
    "loop": None,
    "read_limit": 2**16,
    "legacy_recv": False,
}

MODULES = {
    "websockets": Module(
        names=f"""
            {ALL} __version__
            parse_uri WebSocketURI framing handshake ExtensionHeader
        """,
        deprecated="""
            WebSocketClientProtocol WebSocketServerProtocol WebSocketCommonProtocol
            WebSocketServer BasicAuthWebSocketServerProtocol basic_auth_protocol_factory
            InvalidStatusCode AbortHandshake RedirectHandshake WebSocketProtocolError
        """,
        signatures={
            "connect": f"uri, *, {CLIENT}, {RECONNECTING}, write_limit=2**15, **others",
            "serve": f"handler, host=None, port=None, *, {SERVER}, write_limit=2**15, **others",
            "unix_connect": "path=None, uri=None, **kwargs",
            "unix_serve": "handler, path=None, **kwargs",
            "broadcast": "connections, message, *, text=None, raise_exceptions=False",
            "basic_auth": "realm='', credentials=None, check_credentials=None",
            "route": "url_map, *args, server_name=None, ssl=None, create_router=None, **kwargs",
            "unix_route": "url_map, path=None, **kwargs",
            "basic_auth_protocol_factory": (
                "realm=None, credentials=None, check_credentials=None, create_protocol=None"
            ),
        },
        members={"connect": "process_redirect __await__ __aenter__ __aexit__ __aiter__"},
        parents={
            "WebSocketClientProtocol": "websockets:WebSocketCommonProtocol",
            "WebSocketServerProtocol": "websockets:WebSocketCommonProtocol",
            "BasicAuthWebSocketServerProtocol": "websockets:WebSocketServerProtocol",
        },
    ),
    # Aliases whose import gives a warning.
    "websockets.auth": Module(
        deprecated="BasicAuthWebSocketServerProtocol basic_auth_protocol_factory"
    ),
    "websockets.connection": Module(deprecated="Connection Side State SEND_EOF"),
    "websockets.version": Module(names="version tag commit released"),
    "websockets.cli": Module(names="main", signatures={"main": "argv=None"}),
    "websockets.imports": Module(
        names="lazy_import",
        signatures={"lazy_import": "namespace, aliases=None, deprecated_aliases=None"},
    ),
    "websockets.utils": Module(
        names="accept_key generate_key apply_mask get_socket_name",
        signatures={
            "accept_key": "key",
            "generate_key": "",
            "apply_mask": "data, mask",
            "get_socket_name": "sock",
        },
    ),
    "websockets.speedups": Module(names="apply_mask"),
}
