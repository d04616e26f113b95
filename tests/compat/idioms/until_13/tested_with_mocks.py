"""How programs test themselves: connections and `connect` put in place by mocks."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
from unittest import mock

import websockets
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK
from websockets.frames import Close


class Client:
    async def fetch(self):
        async with websockets.connect("ws://backend.example/") as ws:
            await ws.send("get")
            return await ws.recv()

    async def fetch_awaited(self):
        ws = await websockets.connect("ws://backend.example/", ping_interval=None)
        try:
            return await ws.recv()
        except websockets.ConnectionClosed as exc:
            return exc.code
        finally:
            await ws.close()


async def main():
    with mock.patch("websockets.connect") as connect:
        ws = mock.AsyncMock(spec=websockets.WebSocketClientProtocol)
        ws.recv.return_value = "mocked"
        connect.return_value.__aenter__.return_value = ws
        print(await Client().fetch())
        ws.send.assert_awaited_once_with("get")
        connect.assert_called_once_with("ws://backend.example/")
    with mock.patch("websockets.connect", new_callable=mock.AsyncMock) as connect:
        connect.return_value.recv.side_effect = ConnectionClosedError(Close(1011, "x"), None)
        print(await Client().fetch_awaited())
        connect.return_value.recv.side_effect = ConnectionClosed(None, None)
        print(await Client().fetch_awaited())
        connect.return_value.recv.side_effect = ["one", ConnectionClosedOK(Close(1000, ""), None)]
        print(await Client().fetch_awaited(), await Client().fetch_awaited())
    server_side = mock.create_autospec(websockets.WebSocketServerProtocol, instance=True)
    server_side.recv.return_value = "specified"
    server_side.__aiter__.return_value = ["one", "two"]
    print(await server_side.recv(), [message async for message in server_side])
    print(hasattr(server_side, "no_such_name"))
    await server_side.close(1000)
    server_side.close.assert_awaited_once_with(1000)


asyncio.run(main())
