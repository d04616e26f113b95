"""Adapter for the `aiohttp` package."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import aiohttp
from aiohttp import WSMsgType, web

from tests.interop.adapters import MAX_SIZE, Adapter, Message, Peer


class AiohttpPeer(Peer):
    def __init__(self, connection: Any) -> None:
        super().__init__()
        self.connection = connection

    async def read(self) -> None:
        """Read to the end and answer pings: aiohttp delivers pongs only with autoping off."""
        while True:
            message = await self.connection.receive()
            match message.type:
                case WSMsgType.TEXT | WSMsgType.BINARY:
                    self.messages.put_nowait(message.data)
                case WSMsgType.PING:
                    await self.connection.pong(message.data)
                case WSMsgType.PONG:
                    self.pongs.put_nowait(bytes(message.data))
                case WSMsgType.CLOSE:
                    self.note_close(message.data, message.extra)
                    return
                case _:
                    return

    async def send(self, message: Message) -> None:
        if isinstance(message, str):
            await self.connection.send_str(message)
        else:
            await self.connection.send_bytes(message)

    async def ping(self, data: bytes) -> None:
        await self.connection.ping(data)

    async def close(self, code: int, reason: str) -> None:
        await self.connection.close(code=code, message=reason.encode())


class Aiohttp(Adapter):
    name = "aiohttp"
    lacks: ClassVar = {"send fragments": "it always sends whole messages"}

    @contextlib.asynccontextmanager
    async def connect(self, uri: str, compression: bool) -> AsyncIterator[Peer]:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                uri, autoping=False, compress=15 if compression else 0, max_msg_size=MAX_SIZE
            ) as connection,
        ):
            peer = AiohttpPeer(connection)
            reading = asyncio.create_task(peer.read())
            try:
                yield peer
            finally:
                await connection.close()
                await reading

    @contextlib.asynccontextmanager
    async def serve(self, compression: bool) -> AsyncIterator[tuple[str, asyncio.Future[Peer]]]:
        first: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()

        async def handler(request: web.Request) -> web.WebSocketResponse:
            response = web.WebSocketResponse(
                autoping=False, compress=compression, max_msg_size=MAX_SIZE
            )
            await response.prepare(request)
            peer = AiohttpPeer(response)
            first.set_result(peer)
            await peer.read()
            return response

        app = web.Application()
        app.router.add_get("/", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"ws://127.0.0.1:{runner.addresses[0][1]}/", first
        finally:
            await runner.cleanup()
