"""The server of this library."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import ws6455

from . import MAX_SIZE, Options


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[int]:
    """Serve during the block; yield the port."""

    async def echo(websocket: ws6455.ServerConnection) -> None:
        with suppress(ws6455.ConnectionClosed):
            async for message in websocket:
                await websocket.send(message)

    async def fan_out(websocket: ws6455.ServerConnection) -> None:
        connections.add(websocket)
        with suppress(ws6455.ConnectionClosed):
            async for message in websocket:
                ws6455.broadcast(connections, message)
        connections.remove(websocket)

    connections: set[ws6455.ServerConnection] = set()
    async with ws6455.serve(
        fan_out if options.fan_out else echo,
        "127.0.0.1",
        0,
        compression="deflate" if options.deflate else None,
        max_size=MAX_SIZE,
        ssl=options.tls,
    ) as server:
        (listener,) = server.sockets
        yield listener.getsockname()[1]
