"""The first tutorial's server: started on the loop, which then runs forever."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets


async def hello(websocket, path):
    name = await websocket.recv()
    print(f"< {name} at {path}")
    await websocket.send(f"Hello {name}!")


async def ask(port):
    async with websockets.connect(f"ws://localhost:{port}") as websocket:
        await websocket.send("Alice")
        print(await websocket.recv())
    loop.stop()


loop = asyncio.get_event_loop()
start_server = websockets.serve(hello, "localhost", 0)
server = loop.run_until_complete(start_server)
asking = loop.create_task(ask(server.sockets[0].getsockname()[1]))
loop.run_forever()
server.close()
loop.run_until_complete(server.wait_closed())
print(asking.done())
