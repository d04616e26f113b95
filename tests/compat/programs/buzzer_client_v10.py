"""A buzzer, as written for version 10, on the space bar."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import sys

import keyboard
import websockets


async def buzz():
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765"
    try:
        websocket = await websockets.connect(uri, extra_headers={"X-Team": "one"})
    except websockets.exceptions.InvalidStatusCode as e:
        print(f"refused: {e.status_code}")
        return
    print("Press space!")
    for _ in range(2):
        await asyncio.get_running_loop().run_in_executor(None, keyboard.wait, "space")
        await websocket.send("buzz")
        answer = await websocket.recv()
        print(answer[:14])
    await websocket.close()
    await websocket.wait_closed()
    print(not websocket.open, websocket.close_code)


asyncio.run(buzz())
