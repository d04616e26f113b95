"""The client of this library."""

from collections.abc import Awaitable, Callable

import ws6455

from . import MAX_SIZE, Flight, Options


async def exchange(options: Options, flight: Flight, opened: Callable[[], Awaitable[None]]) -> None:
    """Keep messages in flight on one connection until cancelled."""
    message = options.message
    async with ws6455.connect(
        options.uri, compression="deflate" if options.deflate else None, max_size=MAX_SIZE
    ) as websocket:
        await opened()
        for _ in range(options.in_flight):
            await websocket.send(message)
        async for _ in websocket:
            flight.record_answer()
            await websocket.send(message)
