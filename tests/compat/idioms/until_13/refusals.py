"""A client against servers that refuse it, are none, or are not there."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import logging
import socket
import ssl

import websockets
from websockets import connect

ANSWERS = {
    "/closes": b"",
    "/garbage": b"220 smtp.example ESMTP\r\n",
    "/404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n",
    "/429": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
    "/200": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "/no-upgrade": b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n",
    "/accept": b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: wrong\r\n\r\n",
}


async def answer(reader, writer):
    request = await reader.read(65536)
    path = request.split()[1].decode() if request.startswith(b"GET ") else "/garbage"
    if path in ANSWERS:
        writer.write(ANSWERS[path])
    else:
        await reader.read()
    writer.close()


async def attempt(uri, **options):
    try:
        await connect(uri, **options)
    except (TimeoutError, OSError, websockets.WebSocketException) as exc:
        kinds = (
            websockets.InvalidURI,
            websockets.InvalidHandshake,
            websockets.InvalidMessage,
            websockets.InvalidStatusCode,
            websockets.InvalidHeader,
            ssl.SSLError,
            ConnectionRefusedError,
            asyncio.TimeoutError,
        )
        print([kind.__name__ for kind in kinds if isinstance(exc, kind)])
        if isinstance(exc, websockets.InvalidStatusCode):
            print(exc.status_code, exc.headers.get("Retry-After"), exc)
        if isinstance(exc, websockets.InvalidHeader):
            print(exc.name, exc.value or None)


async def main():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    await attempt(f"ws://127.0.0.1:{port}")
    for uri in ("localhost:8000", "http://localhost", "ws://", "ws://localhost/#fragment"):
        await attempt(uri)
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for path in ANSWERS:
        await attempt(f"ws://127.0.0.1:{port}{path}")
    await attempt(f"ws://127.0.0.1:{port}/silent", open_timeout=0.1)
    await attempt(f"wss://127.0.0.1:{port}/")
    server.close()


logging.getLogger("websockets").addHandler(logging.NullHandler())
asyncio.run(main())
