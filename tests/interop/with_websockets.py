"""Adapters for the `websockets` package, with asyncio and with threads."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import websockets
import websockets.sync.client
import websockets.sync.server

from tests.interop.adapters import MAX_SIZE, Adapter, Message, Peer


def options_for(compression: bool) -> dict[str, Any]:
    return {"compression": "deflate" if compression else None, "max_size": MAX_SIZE}


class AsyncioPeer(Peer):
    def __init__(self, connection: Any) -> None:
        super().__init__()
        self.connection = connection

    async def read(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                self.messages.put_nowait(await self.connection.recv())
        self.note_close(self.connection.close_code, self.connection.close_reason)

    async def send(self, message: Message) -> None:
        await self.connection.send(message)

    async def send_fragments(self, fragments: Sequence[Message]) -> None:
        await self.connection.send(fragments)

    async def ping(self, data: bytes) -> None:
        await (await self.connection.ping(data))
        self.pongs.put_nowait(data)

    async def close(self, code: int, reason: str) -> None:
        await self.connection.close(code, reason)


class WebsocketsAsyncio(Adapter):
    name = "websockets"

    @contextlib.asynccontextmanager
    async def connect(self, uri: str, compression: bool) -> AsyncIterator[Peer]:
        async with websockets.connect(uri, **options_for(compression)) as connection:
            peer = AsyncioPeer(connection)
            reading = asyncio.create_task(peer.read())
            try:
                yield peer
            finally:
                await connection.close()
                await reading

    @contextlib.asynccontextmanager
    async def serve(self, compression: bool) -> AsyncIterator[tuple[str, asyncio.Future[Peer]]]:
        first: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()

        async def handler(connection: Any) -> None:
            peer = AsyncioPeer(connection)
            first.set_result(peer)
            await peer.read()

        options = options_for(compression)
        async with websockets.serve(handler, "127.0.0.1", 0, **options) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            yield f"ws://127.0.0.1:{port}/", first


class ThreadsPeer(Peer):
    """A peer that reads in a thread; blocking calls run in the event loop's executor."""

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self.connection = connection
        self.loop = asyncio.get_running_loop()

    def read(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                message = self.connection.recv()
                self.loop.call_soon_threadsafe(self.messages.put_nowait, message)
        code, reason = self.connection.close_code, self.connection.close_reason
        self.loop.call_soon_threadsafe(self.note_close, code, reason)

    async def send(self, message: Message) -> None:
        await asyncio.to_thread(self.connection.send, message)

    async def send_fragments(self, fragments: Sequence[Message]) -> None:
        await asyncio.to_thread(self.connection.send, fragments)

    async def ping(self, data: bytes) -> None:
        pong = await asyncio.to_thread(self.connection.ping, data)
        if await asyncio.to_thread(pong.wait, 5):
            self.pongs.put_nowait(data)

    async def close(self, code: int, reason: str) -> None:
        await asyncio.to_thread(self.connection.close, code, reason)


class WebsocketsThreads(Adapter):
    name = "websockets-threads"

    @contextlib.asynccontextmanager
    async def connect(self, uri: str, compression: bool) -> AsyncIterator[Peer]:
        options = options_for(compression)
        with contextlib.ExitStack() as stack:
            # Enter and leave it in threads: both block until our end, which runs here, acts.
            connection = await asyncio.to_thread(
                lambda: stack.enter_context(websockets.sync.client.connect(uri, **options))
            )
            peer = ThreadsPeer(connection)
            reader = threading.Thread(target=peer.read)
            reader.start()
            try:
                yield peer
            finally:
                await asyncio.to_thread(stack.close)
                await asyncio.to_thread(reader.join)

    @contextlib.asynccontextmanager
    async def serve(self, compression: bool) -> AsyncIterator[tuple[str, asyncio.Future[Peer]]]:
        loop = asyncio.get_running_loop()
        first: asyncio.Future[Peer] = loop.create_future()

        async def new_peer(connection: Any) -> ThreadsPeer:
            return ThreadsPeer(connection)

        def handler(connection: Any) -> None:
            peer = asyncio.run_coroutine_threadsafe(new_peer(connection), loop).result()
            loop.call_soon_threadsafe(first.set_result, peer)
            peer.read()

        server = websockets.sync.server.serve(handler, "127.0.0.1", 0, **options_for(compression))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/", first
        finally:
            await asyncio.to_thread(server.shutdown)
            await asyncio.to_thread(thread.join)
