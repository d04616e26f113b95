"""The client of websockets."""

from collections.abc import Awaitable, Callable

from websockets.asyncio.client import connect

from . import MAX_SIZE, Flight, Options


async def exchange(options: Options, flight: Flight, opened: Callable[[], Awaitable[None]]) -> None:
    """Keep messages in flight on one connection until cancelled."""
    message = options.message
    async with connect(
        options.uri,
        compression="deflate" if options.deflate else None,
        max_size=MAX_SIZE,
        proxy=None,  # Ignore the environment: the server is on this machine.
    ) as websocket:
        await opened()
        for _ in range(options.in_flight):
            await websocket.send(message)
        async for _ in websocket:
            flight.record_answer()
            await websocket.send(message)
