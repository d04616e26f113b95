"""Instances of the classes of `websockets`, with open connections."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from typing import Any

__all__ = ["missing_attributes", "open_with"]

TIMEOUT = 5


def missing_attributes(owner: str, names: list[str]) -> list[str]:
    """Return the names of the attributes that an instance does not have.

    Args:
        owner: the class with its module, such as ``websockets.asyncio.server.Server``.
        names: the documented attributes.
    """
    if owner.startswith("websockets.sync."):
        with threads() as objects:
            return _missing(objects[owner], names)
    if owner.startswith(("websockets.asyncio.", "websockets.legacy.")):
        package = owner.rpartition(".")[0].rpartition(".")[0]

        async def look() -> list[str]:
            async with asyncio.timeout(TIMEOUT), coroutines(package) as objects:
                return _missing(objects[owner], names)

        return asyncio.run(look())
    return _missing(plain()[owner], names)


def _missing(instance: object, names: list[str]) -> list[str]:
    return [name for name in names if not hasattr(instance, name)]


def plain() -> dict[str, object]:
    """Return the instances that need no connection, by class."""
    client: Any = import_module("websockets.client")
    frames: Any = import_module("websockets.frames")
    http11: Any = import_module("websockets.http11")
    headers = import_module("websockets.datastructures").Headers()
    protocol: Any = import_module("websockets.protocol")
    uri = import_module("websockets.uri").parse_uri("ws://localhost/")
    return {
        "websockets.client.ClientProtocol": client.ClientProtocol(uri),
        "websockets.frames.Close": frames.Close(1000, ""),
        "websockets.frames.Frame": frames.Frame(frames.Opcode.TEXT, b""),
        "websockets.http11.Request": http11.Request("/", headers),
        "websockets.http11.Response": http11.Response(200, "OK", headers),
        "websockets.protocol.Protocol": protocol.Protocol(protocol.Side.CLIENT),
        "websockets.uri.WebSocketURI": uri,
    }


@contextlib.asynccontextmanager
async def coroutines(package: str) -> AsyncIterator[dict[str, object]]:
    """Yield the objects of an open connection, by class.

    Args:
        package: ``websockets.asyncio`` or ``websockets.legacy``.
    """
    client: Any = import_module(f"{package}.client")
    server: Any = import_module(f"{package}.server")
    accepted: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def handler(connection: Any) -> None:
        accepted.set_result(connection)
        await connection.wait_closed()

    serving = server.serve(handler, "127.0.0.1", 0)
    async with serving as listening:
        port = listening.sockets[0].getsockname()[1]
        connecting = client.connect(f"ws://127.0.0.1:{port}/")
        async with connecting as connection:
            yield {
                f"{package}.client.connect": connecting,
                f"{package}.client.ClientConnection": connection,
                f"{package}.client.WebSocketClientProtocol": connection,
                f"{package}.server.serve": serving,
                f"{package}.server.Server": listening,
                f"{package}.server.WebSocketServer": listening,
                f"{package}.server.ServerConnection": await accepted,
                f"{package}.server.WebSocketServerProtocol": await accepted,
            }


@contextlib.contextmanager
def threads() -> Iterator[dict[str, object]]:
    """Yield the objects of an open connection of `websockets.sync`, by class."""
    client: Any = import_module("websockets.sync.client")
    server: Any = import_module("websockets.sync.server")
    accepted: list[object] = []
    arrived = threading.Event()

    def handler(connection: Any) -> None:
        accepted.append(connection)
        arrived.set()
        for _ in connection:
            pass

    with server.serve(handler, "127.0.0.1", 0) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            port = listening.socket.getsockname()[1]
            uri = f"ws://127.0.0.1:{port}/"
            with client.connect(uri, open_timeout=TIMEOUT) as connection:
                assert arrived.wait(TIMEOUT)
                yield {
                    "websockets.sync.client.ClientConnection": connection,
                    "websockets.sync.server.Server": listening,
                    "websockets.sync.server.ServerConnection": accepted[0],
                }
        finally:
            listening.shutdown()
            thread.join(TIMEOUT)


async def open_with(of_client: dict[str, object], of_server: dict[str, object]) -> str | bytes:
    """Return a message from an echo server, with the top level's `connect` and `serve`.

    Args:
        of_client: keyword arguments of `connect`.
        of_server: keyword arguments of `serve`; if there are any, the handler is `ws_handler`.
    """
    websockets: Any = import_module("websockets")

    async def echo(connection: Any) -> None:
        async for message in connection:
            await connection.send(message)

    of_server = {"ws_handler": echo, **of_server} if of_server else {"handler": echo}
    async with (
        asyncio.timeout(TIMEOUT),
        websockets.serve(host="127.0.0.1", port=0, **of_server) as server,
    ):
        port = server.sockets[0].getsockname()[1]
        async with websockets.connect(f"ws://127.0.0.1:{port}/", **of_client) as connection:
            await connection.send("hello")
            message: str | bytes = await connection.recv()
            return message
