"""What a server shows: sockets, open connections; started, asked and stopped."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import socket

import websockets


async def handler(websocket, path):
    print(websocket in websocket.ws_server.websockets, websocket.side, websocket.is_client)
    print(websocket.remote_address[0], websocket.request_headers["X-Test"])
    print(websocket.response_headers["X-Served-By"], websocket.origin, websocket.extensions)
    await websocket.send(websocket.path)
    await websocket.wait_closed()


async def main():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    start_server = websockets.serve(
        handler,
        sock=sock,
        extra_headers={"X-Served-By": "node 1"},
        compression=None,
        origins=["http://localhost:8000", None],
    )
    server = await start_server
    print(start_server.ws_server is server, server.is_serving(), len(server.sockets))
    uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/a%20b?c=d"
    client = await websockets.connect(
        uri, extra_headers=[("X-Test", "1")], origin="http://localhost:8000"
    )
    print(await client.recv(), len(server.websockets), client.response_headers["Upgrade"])
    try:
        await websockets.connect(uri, origin="http://evil.example")
    except websockets.InvalidStatusCode as exc:
        print(exc.status_code)
    server.close()
    await server.wait_closed()
    print(server.is_serving(), client.close_code, len(server.websockets))
    await client.close()


asyncio.run(main())
