"""What a connection and a server show."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import uuid

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.frames import CloseCode
from websockets.protocol import State


async def handler(websocket):
    print(isinstance(websocket, ServerConnection), isinstance(websocket.server, Server))
    print(websocket in websocket.server.connections, isinstance(websocket.id, uuid.UUID))
    print(websocket.request.path, websocket.request.headers["User-Agent"], websocket.subprotocol)
    async for message in websocket:
        await websocket.send(message, text=isinstance(message, bytes))
    print(websocket.state is State.CLOSED, websocket.close_code == CloseCode.GOING_AWAY)


async def main():
    server = await serve(handler, "127.0.0.1", 0, subprotocols=["v2", "v1"], compression=None)
    host, port = server.sockets[0].getsockname()
    websocket = await connect(
        f"ws://{host}:{port}/?q=1", subprotocols=["v1"], user_agent_header="test"
    )
    print(isinstance(websocket, ClientConnection), websocket.state is State.OPEN)
    print(websocket.remote_address == (host, port), websocket.local_address[0])
    print(websocket.close_code, websocket.close_reason, websocket.response.status_code)
    print(websocket.protocol.extensions, websocket.protocol.origin, websocket.latency == 0)
    await websocket.send(b"as text")
    print(await websocket.recv())
    await websocket.send("text")
    print(await websocket.recv(decode=False))
    await websocket.send(["stream", "ing"])
    print([part async for part in websocket.recv_streaming()])
    print(server.is_serving(), len(server.connections))
    await websocket.close(code=1001, reason="bye")
    server.close()
    await server.wait_closed()
    print(websocket.state.name, websocket.close_code, websocket.close_reason)
    print(websocket.protocol.close_sent, websocket.protocol.close_rcvd_then_sent)


asyncio.run(main())
