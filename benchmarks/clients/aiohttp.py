"""The client of aiohttp."""

import zlib
from collections.abc import Awaitable, Callable

from aiohttp import ClientSession

from . import MAX_SIZE, Flight, Options


async def exchange(options: Options, flight: Flight, opened: Callable[[], Awaitable[None]]) -> None:
    """Keep messages in flight on one connection until cancelled."""
    compress = zlib.MAX_WBITS if options.deflate else 0
    async with (
        ClientSession() as session,
        session.ws_connect(options.uri, compress=compress, max_msg_size=MAX_SIZE) as websocket,
    ):
        await opened()
        # One loop for each type: aiohttp has a method for each.
        message = options.message
        if isinstance(message, str):
            for _ in range(options.in_flight):
                await websocket.send_str(message)
            async for _ in websocket:
                flight.record_answer()
                await websocket.send_str(message)
        else:
            for _ in range(options.in_flight):
                await websocket.send_bytes(message)
            async for _ in websocket:
                flight.record_answer()
                await websocket.send_bytes(message)
