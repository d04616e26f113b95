"""A buzzer, as written for version 17, on the space bar."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import sys

import keyboard
import websockets


async def buzz():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765"
    async with websockets.connect(uri, proxy=None, max_size=(2**16, 2**12)) as websocket:
        print("Press space!")
        for _ in range(2):
            await asyncio.to_thread(keyboard.wait, "space")
            await websocket.send("buzz")
            async with asyncio.timeout(5):
                print((await websocket.recv(decode=True))[:14])
    print(websocket.state is websockets.State.CLOSED, websocket.close_code)


asyncio.run(buzz())
