"""The client of tornado."""

from collections.abc import Awaitable, Callable

from tornado.websocket import websocket_connect

from . import MAX_SIZE, Flight, Options


async def exchange(options: Options, flight: Flight, opened: Callable[[], Awaitable[None]]) -> None:
    """Keep messages in flight on one connection until cancelled."""
    message = options.message
    binary = isinstance(message, bytes)
    websocket = await websocket_connect(
        options.uri,
        compression_options={} if options.deflate else None,
        max_message_size=MAX_SIZE,
    )
    try:
        await opened()
        for _ in range(options.in_flight):
            websocket.write_message(message, binary)
        while await websocket.read_message() is not None:
            flight.record_answer()
            websocket.write_message(message, binary)
    finally:
        websocket.close()
