"""An integration of a device: commands with ids, answers awaited by their id."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json
import logging

import websockets
from websockets.exceptions import WebSocketException

logging.getLogger("websockets").setLevel(logging.WARNING)
_LOGGER = logging.getLogger(__name__)


class Device:
    def __init__(self, host, port):
        self.uri = f"ws://{host}:{port}/api/websocket"
        self.client = None
        self.results = {}
        self.next_id = 0

    async def connect(self):
        try:
            self.client = await websockets.connect(
                self.uri, ping_timeout=None, compression=None, user_agent_header="Home/1.0"
            )
        except (OSError, WebSocketException, asyncio.TimeoutError) as err:
            raise ConnectionError(f"cannot connect: {type(err).__name__}") from err
        self.listener = asyncio.create_task(self.listen())

    async def listen(self):
        async for message in self.client:
            data = json.loads(message)
            self.results.pop(data["id"]).set_result(data["result"])

    async def command(self, name):
        self.next_id += 1
        future = self.results[self.next_id] = asyncio.get_event_loop().create_future()
        await self.client.send(json.dumps({"id": self.next_id, "type": name}))
        return await asyncio.wait_for(future, 10)

    @property
    def connected(self):
        return self.client is not None and self.client.open

    async def disconnect(self):
        await self.client.close()
        await self.listener


async def device(websocket, path):
    waiting = []
    async for message in websocket:
        waiting.append(json.loads(message))
        if len(waiting) == 2:  # answered in the other order
            for command in reversed(waiting):
                result = {"id": command["id"], "result": command["type"].upper()}
                await websocket.send(json.dumps(result))


async def main():
    server = await websockets.serve(device, "localhost", 0)
    port = server.sockets[0].getsockname()[1]
    client = Device("localhost", port)
    print(client.connected)
    await client.connect()
    print(client.connected, client.client.request_headers["User-Agent"])
    print(client.client.remote_address[1] == port, client.client.local_address[1] != port)
    print(client.client.transport.get_extra_info("peername")[1] == port)
    print(await asyncio.gather(client.command("on"), client.command("off")))
    await client.disconnect()
    print(client.connected, client.client.closed)
    server.close()
    await server.wait_closed()
    try:
        await client.connect()
    except ConnectionError as exc:
        print(exc)


asyncio.run(main())
