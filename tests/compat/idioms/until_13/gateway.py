"""A chat service's gateway: a subclass as the client, compressed events, a heartbeat."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import zlib

import websockets


class GatewaySocket(websockets.client.WebSocketClientProtocol):
    HEARTBEAT, HELLO = 1, 10

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.inflater = zlib.decompressobj()
        self.keep_alive = None

    @classmethod
    async def start(cls, gateway, *, loop):
        ws = await websockets.connect(
            gateway, loop=loop, klass=cls, compression=None, max_size=None
        )
        ws.sequence = None
        await ws.poll_event()
        return ws

    async def received_message(self, data):
        if isinstance(data, bytes):
            data = self.inflater.decompress(data).decode("utf-8")
        message = json.loads(data)
        print("received", message)
        if message["op"] == self.HELLO:
            self.keep_alive = self.loop.create_task(self.beat(message["d"]["heartbeat_interval"]))

    async def beat(self, interval):
        await asyncio.sleep(interval)
        await self.send_as_json({"op": self.HEARTBEAT, "d": self.sequence})

    async def send_as_json(self, data):
        await super().send(json.dumps(data))

    async def poll_event(self):
        try:
            await self.received_message(await self.recv())
        except websockets.exceptions.ConnectionClosed as exc:
            print("gateway closed", exc.code, self.close_code, self.open)
            return False
        return True

    async def close(self, code=4000, reason=""):
        if self.keep_alive:
            self.keep_alive.cancel()
        await super().close(code, reason)


async def gateway(websocket, path):
    deflater = zlib.compressobj()

    async def event(op, **data):
        text = json.dumps({"op": op, "d": data}).encode()
        await websocket.send(deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH))

    await event(10, heartbeat_interval=0.05)
    print("heartbeat", await websocket.recv())
    await event(11)
    await websocket.wait_closed()


async def main():
    loop = asyncio.get_event_loop()
    server = await websockets.serve(gateway, "localhost", 0)
    port = server.sockets[0].getsockname()[1]
    ws = await GatewaySocket.start(f"ws://localhost:{port}/?v=6&encoding=json", loop=loop)
    print(type(ws).__name__, isinstance(ws, websockets.WebSocketClientProtocol))
    await ws.poll_event()
    await ws.close()
    print(await ws.poll_event())
    server.close()
    await server.wait_closed()


asyncio.run(main())
