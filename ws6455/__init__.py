"""The WebSocket protocol (RFC 6455, RFC 7692) in pure Python over asyncio streams."""

from . import exceptions as exceptions
from .aio.accept import accept
from .aio.basic_auth import basic_auth
from .aio.broadcast import broadcast
from .aio.client import connect, unix_connect
from .aio.client_connection import ClientConnection
from .aio.router import Router, route, unix_route
from .aio.server import Server, serve, unix_serve
from .aio.server_connection import ServerConnection
from .exceptions import (
    ConcurrencyError,
    ConnectionClosed,
    ConnectionClosedError,
    ConnectionClosedOK,
    DuplicateParameter,
    HeaderLineTooLong,
    InvalidHandshake,
    InvalidHeader,
    InvalidHeaderFormat,
    InvalidHeaderValue,
    InvalidMessage,
    InvalidMethod,
    InvalidOrigin,
    InvalidParameterName,
    InvalidParameterValue,
    InvalidPayloadData,
    InvalidProtocol,
    InvalidProxy,
    InvalidProxyMessage,
    InvalidProxyStatus,
    InvalidState,
    InvalidStatus,
    InvalidUpgrade,
    InvalidURI,
    NegotiationError,
    NotHTTP,
    PayloadTooBig,
    ProtocolError,
    ProxyError,
    RequestLineTooLong,
    SecurityError,
    StatusLineTooLong,
    TooManyFragments,
    TooManyHeaders,
    UnsupportedVersion,
    WebSocketException,
)
from .framing.frames import Close, CloseCode, Frame, Opcode
from .http1.head import Request, Response
from .http1.headers import Headers, HeadersLike, MultipleValuesError
from .http1.uri import WebSocketURI, parse_uri
from .protocol.client import ClientProtocol
from .protocol.deflate_negotiation import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from .protocol.protocol import Protocol
from .protocol.server import ServerProtocol
from .protocol.states import Side, State
from .typing import (
    Data,
    ExtensionName,
    ExtensionParameter,
    LoggerLike,
    Origin,
    StatusLike,
    Subprotocol,
)
from .version import version as __version__

__all__ = [
    "ClientConnection",
    "ClientPerMessageDeflateFactory",
    "ClientProtocol",
    "Close",
    "CloseCode",
    "ConcurrencyError",
    "ConnectionClosed",
    "ConnectionClosedError",
    "ConnectionClosedOK",
    "Data",
    "DuplicateParameter",
    "ExtensionName",
    "ExtensionParameter",
    "Frame",
    "HeaderLineTooLong",
    "Headers",
    "HeadersLike",
    "InvalidHandshake",
    "InvalidHeader",
    "InvalidHeaderFormat",
    "InvalidHeaderValue",
    "InvalidMessage",
    "InvalidMethod",
    "InvalidOrigin",
    "InvalidParameterName",
    "InvalidParameterValue",
    "InvalidPayloadData",
    "InvalidProtocol",
    "InvalidProxy",
    "InvalidProxyMessage",
    "InvalidProxyStatus",
    "InvalidState",
    "InvalidStatus",
    "InvalidURI",
    "InvalidUpgrade",
    "LoggerLike",
    "MultipleValuesError",
    "NegotiationError",
    "NotHTTP",
    "Opcode",
    "Origin",
    "PayloadTooBig",
    "Protocol",
    "ProtocolError",
    "ProxyError",
    "Request",
    "RequestLineTooLong",
    "Response",
    "Router",
    "SecurityError",
    "Server",
    "ServerConnection",
    "ServerPerMessageDeflateFactory",
    "ServerProtocol",
    "Side",
    "State",
    "StatusLike",
    "StatusLineTooLong",
    "Subprotocol",
    "TooManyFragments",
    "TooManyHeaders",
    "UnsupportedVersion",
    "WebSocketException",
    "WebSocketURI",
    "__version__",
    "accept",
    "basic_auth",
    "broadcast",
    "connect",
    "parse_uri",
    "route",
    "serve",
    "unix_connect",
    "unix_route",
    "unix_serve",
]
