"""Servers and clients gathered, made into tasks and futures, as awaitables can be."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets


async def echo(websocket, path):
    async for message in websocket:
        await websocket.send(path + message)


def port_of(server):
    return server.sockets[0].getsockname()[1]


async def talk(uri):
    connecting = asyncio.ensure_future(websockets.connect(uri, max_size=2**25, read_limit=2**20))
    websocket = await connecting
    await websocket.send("hello")
    reply = asyncio.get_event_loop().create_task(websocket.recv())
    done, _ = await asyncio.wait({reply}, timeout=10)
    print(done.pop().result(), len(websocket.messages))
    await websocket.close()
    await websocket.wait_closed()
    return websocket


loop = asyncio.get_event_loop()
first, second = loop.run_until_complete(
    asyncio.gather(
        websockets.serve(echo, "localhost", 0),
        websockets.serve(echo, "localhost", 0, ping_interval=None, write_limit=2**16),
    )
)
third = loop.run_until_complete(asyncio.ensure_future(websockets.serve(echo, "localhost", 0)))
for server in (first, second, third):
    client = loop.run_until_complete(talk(f"ws://localhost:{port_of(server)}/echo/"))
    print(client.closed, client.close_code, client.subprotocol, client.extensions[0].name)
client = loop.run_until_complete(
    websockets.connect("ws://example.invalid/path", host="localhost", port=port_of(first))
)
print(client.request_headers["Host"], client.open)
loop.run_until_complete(client.close())
for server in (first, second, third):
    server.close()
    loop.run_until_complete(server.wait_closed())
