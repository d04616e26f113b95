"""The server of websockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from . import MAX_SIZE, Options


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[int]:
    """Serve during the block; yield the port."""

    async def echo(websocket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            async for message in websocket:
                await websocket.send(message)

    async def fan_out(websocket: ServerConnection) -> None:
        connections.add(websocket)
        with suppress(ConnectionClosed):
            async for message in websocket:
                broadcast(connections, message)
        connections.remove(websocket)

    connections: set[ServerConnection] = set()
    async with serve(
        fan_out if options.fan_out else echo,
        "127.0.0.1",
        0,
        compression="deflate" if options.deflate else None,
        max_size=MAX_SIZE,
        ssl=options.tls,
    ) as server:
        (listener,) = server.sockets
        yield listener.getsockname()[1]
