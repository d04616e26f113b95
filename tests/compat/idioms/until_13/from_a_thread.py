"""A graphical program's way: the loop in a thread, calls handed over to it."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import queue
import threading

import websockets

received = queue.Queue()
started = threading.Event()


class Background(threading.Thread):
    async def echo(self, websocket, path):
        async for message in websocket:
            await websocket.send(message.upper())

    async def listen(self):
        async for message in self.websocket:
            received.put(message)
        received.put(None)

    async def start_all(self):
        self.server = await websockets.serve(self.echo, "localhost", 0)
        port = self.server.sockets[0].getsockname()[1]
        self.websocket = await websockets.connect(f"ws://localhost:{port}")
        self.listener = asyncio.ensure_future(self.listen())

    def run(self):
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.start_all())
        started.set()
        self.loop.run_forever()
        self.server.close()
        self.loop.run_until_complete(self.server.wait_closed())
        self.loop.close()


thread = Background(daemon=True)
thread.start()
started.wait(10)
for text in ("one", "two"):
    asyncio.run_coroutine_threadsafe(thread.websocket.send(text), thread.loop).result(10)
    print(received.get(timeout=10))
asyncio.run_coroutine_threadsafe(thread.websocket.close(), thread.loop).result(10)
print(received.get(timeout=10))
thread.loop.call_soon_threadsafe(thread.loop.stop)
thread.join(10)
print(thread.is_alive())
