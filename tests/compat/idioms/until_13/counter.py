"""The documentation's counter: a global set of users, all told of every change."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import json

import websockets

USERS = set()
VALUE = 0


def users_event():
    return json.dumps({"type": "users", "count": len(USERS)})


def value_event():
    return json.dumps({"type": "value", "value": VALUE})


async def tell(event):
    if USERS:
        await asyncio.wait([asyncio.create_task(user.send(event)) for user in USERS])


async def counter(websocket):
    global USERS, VALUE
    try:
        USERS.add(websocket)
        websockets.broadcast(USERS, users_event())
        await websocket.send(value_event())
        async for message in websocket:
            event = json.loads(message)
            if event["action"] == "minus":
                VALUE -= 1
            elif event["action"] == "plus":
                VALUE += 1
            await tell(value_event())
    finally:
        USERS.remove(websocket)
        websockets.broadcast(USERS, users_event())


async def main():
    async with websockets.serve(counter, "localhost", 0) as server:
        uri = f"ws://localhost:{server.sockets[0].getsockname()[1]}"
        async with websockets.connect(uri) as first:
            print(await first.recv(), await first.recv())
            async with websockets.connect(uri) as second:
                print(await second.recv(), await second.recv(), await first.recv())
                await second.send(json.dumps({"action": "plus"}))
                print(await first.recv(), await second.recv())
                await first.send(json.dumps({"action": "minus"}))
                print(await first.recv(), await second.recv())
            print(await first.recv())
    print(len(USERS))


asyncio.run(main())
