"""Adapter for the `tornado` package."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket

from tests.interop.adapters import MAX_SIZE, Adapter, Message, Peer


class TornadoPeer(Peer):
    def __init__(self, connection: Any) -> None:
        super().__init__()
        self.connection = connection

    def receive(self, message: Message | None) -> None:
        """Handle a received message, or None at the end."""
        if message is None:
            self.note_close(self.connection.close_code, self.connection.close_reason or "")
        else:
            self.messages.put_nowait(message)

    async def read(self) -> None:
        """Read a client's messages to the end."""
        while (message := await self.connection.read_message()) is not None:
            self.receive(message)
        self.receive(None)

    async def send(self, message: Message) -> None:
        await self.connection.write_message(message, binary=isinstance(message, bytes))

    async def ping(self, data: bytes) -> None:
        self.connection.ping(data)

    async def close(self, code: int, reason: str) -> None:
        self.connection.close(code, reason)


class Handler(tornado.websocket.WebSocketHandler):
    peer: TornadoPeer

    def initialize(self, first: asyncio.Future[Peer], compression: bool) -> None:
        self.first = first
        self.compression = compression

    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if self.compression else None

    def open(self, *args: str, **kwargs: str) -> None:
        self.peer = TornadoPeer(self)
        self.first.set_result(self.peer)

    def on_message(self, message: Message) -> None:
        self.peer.receive(message)

    def on_pong(self, data: bytes) -> None:
        self.peer.pongs.put_nowait(data)

    def on_close(self) -> None:
        self.peer.receive(None)


class Tornado(Adapter):
    name = "tornado"
    lacks: ClassVar = {"send fragments": "it always sends whole messages"}

    @contextlib.asynccontextmanager
    async def connect(self, uri: str, compression: bool) -> AsyncIterator[Peer]:
        connection = await tornado.websocket.websocket_connect(
            uri, compression_options={} if compression else None, max_message_size=MAX_SIZE
        )
        peer = TornadoPeer(connection)
        # A client has no other way to receive pongs.
        setattr(connection, "on_pong", peer.pongs.put_nowait)  # noqa: B010 # mypy rejects assignment
        reading = asyncio.create_task(peer.read())
        try:
            yield peer
        finally:
            connection.close()
            await reading

    @contextlib.asynccontextmanager
    async def serve(self, compression: bool) -> AsyncIterator[tuple[str, asyncio.Future[Peer]]]:
        first: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()
        arguments = {"first": first, "compression": compression}
        app = tornado.web.Application(
            [("/", Handler, arguments)], websocket_max_message_size=MAX_SIZE
        )
        server = tornado.httpserver.HTTPServer(app)
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        try:
            yield f"ws://127.0.0.1:{sockets[0].getsockname()[1]}/", first
        finally:
            server.stop()
            await server.close_all_connections()
