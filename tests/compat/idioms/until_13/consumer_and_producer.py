"""Two tasks for a connection, as in the documentation: what ends first ends the other."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio

import websockets


async def consumer(message):
    print("consumed", message)


async def consumer_handler(websocket, path):
    async for message in websocket:
        await consumer(message)


async def producer_handler(websocket, path):
    for number in range(3):
        await websocket.send(f"produced {number}")
    await asyncio.Event().wait()


async def handler(websocket, path):
    consumer_task = asyncio.ensure_future(consumer_handler(websocket, path))
    producer_task = asyncio.ensure_future(producer_handler(websocket, path))
    done, pending = await asyncio.wait(
        [consumer_task, producer_task], return_when=asyncio.FIRST_COMPLETED
    )
    for task in pending:
        task.cancel()
    print(consumer_task in done, [task.exception() for task in done])


async def main():
    async with websockets.serve(handler, "localhost", 0) as server:
        uri = f"ws://localhost:{server.sockets[0].getsockname()[1]}"
        async with websockets.connect(uri) as client:
            for _ in range(3):
                print(await client.recv())
            await client.send("one")
            await client.send("two")


asyncio.get_event_loop().run_until_complete(main())
