"""Many clients at once: a task group, cancelled receivers, a queue for each."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

from websockets.asyncio.client import connect
from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConcurrencyError

CLIENTS = {}


async def relay(queue, websocket):
    while True:
        await websocket.send(await queue.get())


async def handler(websocket):
    queue = asyncio.Queue()
    relay_task = asyncio.create_task(relay(queue, websocket))
    CLIENTS[websocket] = queue
    try:
        async for message in websocket:
            for other in CLIENTS.values():
                other.put_nowait(message)
    finally:
        del CLIENTS[websocket]
        relay_task.cancel()


async def client(uri, number, ready):
    async with connect(uri) as websocket:
        receiving = asyncio.create_task(websocket.recv())
        await asyncio.sleep(0)
        receiving.cancel()
        await asyncio.wait([receiving])
        await ready.wait()
        if number == 0:
            await websocket.send("to all")
        return receiving.cancelled(), await asyncio.wait_for(websocket.recv(), 10)


async def main():
    async with serve(handler, "localhost", 0) as server:
        uri = f"ws://localhost:{server.sockets[0].getsockname()[1]}"
        ready = asyncio.Barrier(10)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(client(uri, number, ready)) for number in range(10)]
        print({task.result() for task in tasks})
        async with connect(uri) as websocket:
            first = asyncio.create_task(websocket.recv())
            await asyncio.sleep(0)
            try:
                await websocket.recv()
            except ConcurrencyError as exc:
                print("one at a time", isinstance(exc, RuntimeError))
            broadcast(server.connections, "at last")
            print(await first)
            print(await asyncio.gather(*(websocket.send(str(n)) for n in range(3))))
            print([await websocket.recv() for _ in range(3)])
            done, pending = await asyncio.wait(
                [asyncio.ensure_future(websocket.recv())], timeout=0.05
            )
            print(len(done), len(pending))
            pending.pop().cancel()
    print(CLIENTS)


asyncio.run(main())
