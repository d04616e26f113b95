"""A client with every option of the answers to questions: TLS, headers, no limits."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import os
import ssl

import websockets

PEM = os.environ["CERTIFICATE"]
server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server_context.load_cert_chain(PEM)
ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ssl_context.check_hostname = False
ssl_context.verify_mode = ssl.CERT_NONE


async def handler(ws, path):
    await ws.send(ws.request_headers["Authorization"])
    await ws.send("x" * 2_000_000)
    await ws.wait_closed()


async def main():
    async with websockets.serve(handler, "localhost", 0, ssl=server_context) as server:
        port = server.sockets[0].getsockname()[1]
        async with websockets.connect(
            f"wss://localhost:{port}/v1/stream",
            extra_headers={"Authorization": "Bearer token"},
            ping_interval=None,
            max_size=None,
            max_queue=None,
            close_timeout=1,
            ssl=ssl_context,
        ) as ws:
            print(await ws.recv(), ws.path, ws.secure, ws.host)
            print(len(await ws.recv()))


asyncio.get_event_loop().run_until_complete(main())
