"""A path that answers a load balancer, on the port of the server."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import http

import websockets


async def health_check(path, request_headers):
    if path == "/healthz":
        return http.HTTPStatus.OK, [], b"OK\n"
    if path == "/metrics":
        return 200, {"Content-Type": "text/html", "X-Seen": request_headers["Host"][:9]}, b"<p>1"
    return None


async def echo(websocket):
    async for message in websocket:
        await websocket.send(message)


async def get(port, path):
    reader, writer = await asyncio.open_connection("localhost", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    lines = head.split("\r\n")
    shown = [line for line in lines[1:] if line.startswith(("Content-", "Connection", "X-"))]
    print(lines[0], sorted(shown), repr(body))


async def main():
    async with websockets.serve(echo, "localhost", 0, process_request=health_check) as server:
        port = server.sockets[0].getsockname()[1]
        await get(port, "/healthz")
        await get(port, "/metrics")
        async with websockets.connect(f"ws://localhost:{port}/") as websocket:
            await websocket.send("still a WebSocket")
            print(await websocket.recv())


asyncio.run(main())
