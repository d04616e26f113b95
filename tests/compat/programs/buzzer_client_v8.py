"""A buzzer, as written for version 8, on the space bar."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import sys

import keyboard
import websockets


async def buzz(uri):
    websocket = await websockets.connect(uri, ping_interval=None, max_size=None)
    assert websocket.open
    print("Press space!")
    for _ in range(2):
        keyboard.wait("space")
        await websocket.send("buzz")
        print((await websocket.recv())[:14])
    await websocket.close(reason="done")
    print(websocket.closed, websocket.close_code)


uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765"
asyncio.get_event_loop().run_until_complete(buzz(uri))
