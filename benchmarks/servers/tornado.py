"""The server of tornado."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from . import MAX_SIZE, Options


class _Echo(WebSocketHandler):
    def initialize(self, deflate: bool) -> None:
        self.deflate = deflate

    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if self.deflate else None

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


class _FanOut(_Echo):
    handlers: ClassVar[set["_FanOut"]] = set()

    def open(self, *args: str, **kwargs: str) -> None:
        self.handlers.add(self)

    def on_close(self) -> None:
        self.handlers.discard(self)

    def on_message(self, message: str | bytes) -> None:
        for receiver in self.handlers:
            receiver.write_message(message, binary=isinstance(message, bytes))


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[int]:
    """Serve during the block; yield the port."""
    handler = _FanOut if options.fan_out else _Echo
    application = Application(
        [("/", handler, {"deflate": options.deflate})], websocket_max_message_size=MAX_SIZE
    )
    server = HTTPServer(application, ssl_options=options.tls)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    try:
        yield sockets[0].getsockname()[1]
    finally:
        server.stop()
        await server.close_all_connections()
