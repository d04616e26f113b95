"""The server of aiohttp."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import WSMsgType, web

from . import MAX_SIZE, Options


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[int]:
    """Serve during the block; yield the port."""

    async def opened(request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse(compress=options.deflate, max_msg_size=MAX_SIZE)
        await websocket.prepare(request)
        return websocket

    async def echo(request: web.Request) -> web.WebSocketResponse:
        websocket = await opened(request)
        with suppress(ConnectionError):
            async for message in websocket:
                if message.type is WSMsgType.BINARY:
                    await websocket.send_bytes(message.data)
                elif message.type is WSMsgType.TEXT:
                    await websocket.send_str(message.data)
        return websocket

    async def fan_out(request: web.Request) -> web.WebSocketResponse:
        websocket = await opened(request)
        websockets.add(websocket)
        with suppress(ConnectionError):
            async for message in websocket:
                if message.type is WSMsgType.BINARY:
                    for receiver in tuple(websockets):
                        await receiver.send_bytes(message.data)
                elif message.type is WSMsgType.TEXT:
                    for receiver in tuple(websockets):
                        await receiver.send_str(message.data)
        websockets.remove(websocket)
        return websocket

    websockets: set[web.WebSocketResponse] = set()
    application = web.Application()
    application.router.add_get("/", fan_out if options.fan_out else echo)
    # A log of requests is not part of a WebSocket server's job.
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=options.tls)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
