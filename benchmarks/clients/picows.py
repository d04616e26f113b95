"""The client of picows."""

from collections.abc import Awaitable, Callable

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from . import MAX_SIZE, Flight, Options


class _Binary(WSListener):
    def __init__(self, options: Options, flight: Flight) -> None:
        message = options.message
        self.message = message.encode() if isinstance(message, str) else message
        self.flight = flight

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.BINARY:
            frame.get_payload_as_memoryview()
            self.flight.record_answer()
            transport.send(WSMsgType.BINARY, self.message)


class _Text(_Binary):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            frame.get_payload_as_utf8_text()
            self.flight.record_answer()
            transport.send(WSMsgType.TEXT, self.message)


async def exchange(options: Options, flight: Flight, opened: Callable[[], Awaitable[None]]) -> None:
    """Keep messages in flight on one connection until cancelled."""
    text = isinstance(options.message, str)
    make = _Text if text else _Binary
    transport, listener = await ws_connect(
        lambda: make(options, flight), options.uri, max_frame_size=MAX_SIZE
    )
    assert isinstance(listener, _Binary)
    try:
        await opened()
        for _ in range(options.in_flight):
            transport.send(WSMsgType.TEXT if text else WSMsgType.BINARY, listener.message)
        await transport.wait_disconnected()
    finally:
        transport.disconnect()
