"""The server of picows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from . import MAX_SIZE, Options

_DATA = (WSMsgType.BINARY, WSMsgType.TEXT, WSMsgType.CONTINUATION)


class _Echo(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type in _DATA:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview(), frame.fin)
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()


class _FanOut(WSListener):
    def __init__(self, transports: set[WSTransport]) -> None:
        self.transports = transports

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transports.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transports.discard(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type in _DATA:
            payload = frame.get_payload_as_bytes()
            for receiver in self.transports:
                receiver.send(frame.msg_type, payload, frame.fin)
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[int]:
    """Serve during the block; yield the port."""
    transports: set[WSTransport] = set()

    def listen(request: WSUpgradeRequest) -> WSListener:
        return _FanOut(transports) if options.fan_out else _Echo()

    server = await ws_create_server(
        listen, "127.0.0.1", 0, max_frame_size=MAX_SIZE, ssl=options.tls
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
