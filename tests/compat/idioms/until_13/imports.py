"""What programs import, from where it was, and how they look at versions."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import inspect
from typing import Optional, get_type_hints

import websockets
import websockets.client
import websockets.exceptions
import websockets.legacy.client
import websockets.server
from websockets import (
    ConnectionClosed,
    ConnectionClosedError,
    ConnectionClosedOK,
    Data,
    Headers,
    InvalidHandshake,
    InvalidStatusCode,
    InvalidURI,
    WebSocketClientProtocol,
    WebSocketException,
    WebSocketServerProtocol,
)
from websockets.client import WebSocketClientProtocol as FromClient
from websockets.client import connect as client_connect
from websockets.datastructures import Headers as FromDatastructures
from websockets.exceptions import InvalidStatusCode as FromExceptions
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.legacy.client import WebSocketClientProtocol as FromLegacy
from websockets.legacy.protocol import WebSocketCommonProtocol
from websockets.legacy.server import HTTPResponse
from websockets.server import WebSocketServerProtocol as FromServer
from websockets.typing import Origin, Subprotocol
from websockets.uri import parse_uri


class Client:
    ws: "Optional[websockets.WebSocketClientProtocol]" = None

    def register(self, ws: WebSocketServerProtocol, data: Data, p: Subprotocol) -> HTTPResponse:
        """Only its annotations matter."""


version = tuple(int(part) for part in websockets.__version__.split(".")[:2])
print(version >= (8, 0), version >= (10, 0), websockets.__version__ == websockets.version.version)
print(FromClient is FromLegacy is WebSocketClientProtocol, FromServer is WebSocketServerProtocol)
print(FromExceptions is InvalidStatusCode, FromDatastructures is Headers)
print(issubclass(FromClient, WebSocketCommonProtocol), issubclass(FromServer, FromClient))
for error in (ConnectionClosedOK, ConnectionClosedError, InvalidHandshake, InvalidURI):
    print(
        error.__name__, issubclass(error, WebSocketException), issubclass(error, ConnectionClosed)
    )
print(sorted(get_type_hints(Client)), sorted(get_type_hints(Client.register)))
print(inspect.isclass(client_connect), inspect.iscoroutinefunction(FromClient.recv))
print(inspect.iscoroutinefunction(FromClient.send), inspect.isasyncgenfunction(FromClient.recv))
print("extra_headers" in inspect.signature(client_connect).parameters)
print(ServerPerMessageDeflateFactory.name, Origin("http://localhost"))
uri = parse_uri("wss://user:pass@example.com/chat?room=1")
print(uri.secure, uri.host, uri.port, uri.resource_name, uri.user_info)
for wrong in ("http://example.com", "ws://", "ws://example.com/#fragment"):
    try:
        parse_uri(wrong)
    except InvalidURI as exc:
        print(exc.uri)
