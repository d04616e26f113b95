"""Annotations as type checkers like them today, looked at when it runs."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import inspect
import logging
import typing
from collections.abc import AsyncIterator, Awaitable, Callable

import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.extensions import ClientExtensionFactory, ServerExtensionFactory
from websockets.sync.client import ClientConnection as SyncClientConnection
from websockets.sync.server import Server as SyncServer
from websockets.typing import (
    BytesLike,
    Data,
    DataLike,
    ExtensionHeader,
    LoggerLike,
    Origin,
    StatusLike,
    Subprotocol,
)

Handler = Callable[[ServerConnection], Awaitable[None]]


class Service:
    server: Server | None = None
    threaded: SyncServer | SyncClientConnection | None = None
    clients: dict[Connection, Subprotocol | None]
    factories: list[ClientExtensionFactory | ServerExtensionFactory]
    header: ExtensionHeader

    async def handle(self, ws: ServerConnection, data: Data) -> AsyncIterator[DataLike]:
        yield data

    def connect(self, uri: str, origin: Origin, log: LoggerLike) -> "connect": ...

    def refuse(self, ws: websockets.ServerConnection, status: StatusLike) -> BytesLike: ...


print(sorted(typing.get_type_hints(Service)), typing.get_type_hints(Service.handle)["data"] == Data)
print(typing.get_type_hints(Service.connect)["return"] is connect)
print(issubclass(ClientConnection, Connection), issubclass(ServerConnection, Connection))
print(websockets.ClientConnection is ClientConnection, websockets.serve is serve)
print(Data == str | bytes, isinstance(logging.getLogger(), LoggerLike))
print(
    Origin("http://o"), Subprotocol("chat"), isinstance(b"", BytesLike), isinstance(200, StatusLike)
)
for method in ("recv", "send", "close", "ping", "pong", "wait_closed"):
    function = getattr(ClientConnection, method)
    print(
        method,
        inspect.iscoroutinefunction(function),
        *list(inspect.signature(function).parameters)[:3],
    )
print(sorted(websockets.State.__members__), websockets.Side.CLIENT.name)
print([code.value for code in websockets.CloseCode])
