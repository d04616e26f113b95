"""The server of websockets with threads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from threading import Thread

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from . import MAX_SIZE, Options


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[int]:
    """Serve during the block; yield the port. The event loop is idle."""

    def echo(websocket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            for message in websocket:
                websocket.send(message)

    with serve(
        echo,
        "127.0.0.1",
        0,
        compression="deflate" if options.deflate else None,
        max_size=MAX_SIZE,
        ssl=options.tls,
    ) as server:
        Thread(target=server.serve_forever).start()
        yield server.socket.getsockname()[1]
