"""A socket manager, as clients of exchanges have it: entered and left by hand."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json

import websockets as ws
from websockets.exceptions import ConnectionClosedError


class ReconnectingWebsocket:
    def __init__(self, url, path):
        self._url = url
        self._path = path
        self._conn = None
        self.ws = None
        self._reconnects = 0

    async def connect(self):
        self._conn = ws.connect(f"{self._url}/{self._path}", close_timeout=0.1)
        self.ws = await self._conn.__aenter__()

    async def __aexit__(self, exc_type, exc_val, exc_tb):
        if self._conn and hasattr(self._conn, "protocol"):
            print("protocol", self._conn.protocol is self.ws)
            await self._conn.__aexit__(exc_type, exc_val, exc_tb)
        self.ws = None

    async def recv(self):
        while True:
            try:
                return json.loads(await asyncio.wait_for(self.ws.recv(), timeout=10))
            except ConnectionClosedError as e:
                self._reconnects += 1
                print("reconnecting after", e.code, self.ws.state == ws.protocol.State.CLOSED)
                await self.connect()


async def exchange(websocket, path):
    await websocket.send(json.dumps({"stream": path.strip("/"), "price": "1.00"}))
    exchange.calls += 1
    if exchange.calls == 1:
        websocket.fail_connection(1008, "too slow")
    await websocket.wait_closed()


exchange.calls = 0


async def main():
    async with ws.serve(exchange, "localhost", 0) as server:
        stream = ReconnectingWebsocket(
            f"ws://localhost:{server.sockets[0].getsockname()[1]}", "btcusdt@trade"
        )
        await stream.connect()
        print(await stream.recv())
        print(await stream.recv())
        await stream.__aexit__(None, None, None)
        print(stream._reconnects)


loop = asyncio.get_event_loop()
loop.run_until_complete(main())
