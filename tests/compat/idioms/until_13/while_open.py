"""A loop that goes on while the connection is open, and connects again when it is not."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets


async def handler(websocket, path):
    for number in range(2):
        await websocket.recv()
        await websocket.send(str(number))
    await websocket.recv()
    await websocket.close(1000, "enough")


class Bot:
    def __init__(self, uri):
        self.uri = uri
        self.ws = None

    async def ensure_connected(self):
        if self.ws is None or not self.ws.open or self.ws.closed:
            self.ws = await websockets.connect(self.uri)
            print("connected", self.ws.open, self.ws.closed)

    async def run(self):
        for _ in range(2):
            await self.ensure_connected()
            while self.ws.open:
                try:
                    await self.ws.send("next")
                    print(await self.ws.recv())
                except websockets.exceptions.ConnectionClosed as e:
                    print("closed", e.code, e.reason)
            await self.ws.wait_closed()
            print(self.ws.open, self.ws.closed, self.ws.close_code, self.ws.close_reason)


async def main():
    async with websockets.serve(handler, "localhost", 0) as server:
        await Bot(f"ws://localhost:{server.sockets[0].getsockname()[1]}").run()


asyncio.run(main())
